"""What is page boilerplate and what only sounds like it; every line written for this project."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.text.boilerplate import (
    boilerplate_reason,
    count_outside,
    looks_like_byline,
    looks_like_caption,
    looks_like_headline,
)
from detector.text.sentences import make_sentence

BOILERPLATE = {
    "a visit counter": [
        "Visited 1 times, 1 visit(s) today",
        "Post Views: 1,234",
        "12,345 views",
        "3.4k shares",
    ],
    "a pointer to other articles": [
        "Related Article",
        "Related Articles",
        "RELATED STORIES:",
        "Recommended for you",
        "You may also like",
        "You might be interested in these stories",
        "More from World",
        "More on this story",
        "READ MORE: Mayor leaves town",
        "Read also | Mayor leaves town",
        "Also read: Ferry sinks off the coast",
        "Related: Why the ferry sank",
        "Most Read",
        "Most popular in politics",
        "Editors' Picks",
        "Editor’s choice",
        "Top Stories",
        "In case you missed it",
        "Don't miss",
        "What to read next",
        "Continue reading",
        "Continue reading the main story",
        "Read the full story here",
        "Previous article",
        "Next Post: Ferry sinks",
        "From around the web",
        "Promoted Stories",
        "Trending",
        "Trending Now",
        "WATCH: Mayor leaves town",
        "Explore more",
    ],
    "an advertisement": [
        "Sponsored",
        "Advertisement",
        "ADVERTISEMENT",
        "Story continues below advertisement",
        "Article continues below",
        "Scroll to continue with content",
        "Advertisement - Scroll to Continue",
    ],
    "an invitation to share or follow": [
        "Share this article",
        "Share",
        "Share on Facebook",
        "Facebook Twitter WhatsApp Email Print",
        "Share on X (Opens in new window)",
        "Click to share on Facebook (Opens in new window)",
        "Follow us on Twitter and Instagram",
        "Follow BBC News on WhatsApp",
        "Follow us",
        "Like us on Facebook",
        "Tweet",
        "Copy link",
        "Email this article to a friend",
        "Print this page",
        "Add as preferred source on Google",
    ],
    "an invitation to subscribe": [
        "Subscribe",
        "Subscribe now",
        "Subscribe to our newsletter",
        "Sign up for our daily newsletter",
        "Sign up here for the Morning Briefing newsletter, delivered to your inbox every day.",
        "Get the latest news in your inbox",
        "Get our free mobile app",
        "Download the app",
        "Already a subscriber? Log in",
        "Become a member",
        "Support our journalism",
        "Support independent journalism today",
        "This article is for subscribers only",
        "To continue reading, subscribe today",
        "You have reached your limit of free articles",
        "Thanks for signing up!",
        "Log in",
        "Sign in",
        "Register for free",
        "Newsletter",
        "Enter your email address",
    ],
    "a notice on cookies or terms": [
        "We use cookies to improve your experience.",
        "This website uses cookies.",
        "By continuing to use this site you agree to our use of cookies.",
        "By signing up, you agree to our Terms of Use and acknowledge our Privacy Policy.",
        "Accept all cookies",
        "Privacy Policy",
        "Terms of Service",
        "Privacy Policy | Terms of Use",
        "Cookie Settings",
    ],
    "a copyright notice": [
        "© 2025 Lake Town Herald",
        "Copyright 2024 The Associated Press. All rights reserved.",
        "All rights reserved.",
        "This material may not be published, broadcast, rewritten or redistributed.",
        "The post Mayor leaves town appeared first on Lake Herald.",
        "This article was originally published on the Conversation.",
        "This story originally appeared in the Herald.",
        "Originally published in the Herald",
        "Republished with permission",
        "Reprinted from the Herald",
        "First published on Sat 20 Sep 2025",
    ],
    "tags or categories": [
        "Tags: harbour, mayor",
        "Tags",
        "Tagged with: ferry",
        "Categories: News, World",
        "Filed under: Politics",
        "Filed Under Politics",
        "Posted in News",
        "Topics: Ferry | Harbour",
        "#ferry #harbour",
    ],
    "a date": [
        "date 2025-09-20 Politics",
        "2025-09-20",
        "September 20, 2025",
        "Sept. 20, 2025 at 5:30 p.m. EDT",
        "20 September 2025",
        "Sat 20 Sep 2025 10.15 BST",
        "Saturday, September 20, 2025",
        "Published: September 20, 2025",
        "Published 3 hours ago",
        "Updated 5:30 PM EDT, September 20, 2025",
        "Last updated on Sep 20, 2025",
        "Posted on 20/09/2025",
        "3 hours ago",
        "2 days ago",
        "Updated: 20/09/2025 - 17:30 GMT+2",
        "Last Updated : Sep 20, 2025, 05:30 PM IST",
    ],
    "a reading time": [
        "5 min read",
        "4-minute read",
        "Reading time: 3 minutes",
        "Estimated reading time: 4 min",
    ],
    "a comment form": [
        "12 Comments",
        "Comments (5)",
        "Comments",
        "No comments yet",
        "0 Comments",
        "Leave a Reply",
        "Leave a comment",
        "Your email address will not be published.",
        "Save my name, email, and website in this browser for the next time I comment.",
        "Join the conversation",
        "View all comments",
        "Comments are closed.",
        "Be the first to comment",
        "You must be logged in to post a comment.",
        "Post a comment",
        "Notify me of follow-up comments by email.",
    ],
    "a disclaimer": [
        "Disclaimer: This is not advice.",
        "Editor's note: This story has been corrected.",
        "The views expressed in this article are the author's own.",
        "The views and opinions expressed here are those of the author.",
        "This article is for informational purposes only.",
        "This content does not constitute financial advice.",
    ],
    "a photo credit": [
        "The ferry at Lake Town. (AP Photo/Ann Fox)",
        "Getty Images",
        "Jane Doe/Getty Images",
        "AP Photo/Jane Doe",
        "(AP Photo/Jane Doe)",
        "REUTERS/Jane Doe",
        "Photo: Jane Doe / AFP",
        "Photo by Jane Doe",
        "Photograph: Jane Doe/The Guardian",
        "Image credit: Jane Doe",
        "Credit: Jane Doe",
        "Picture: EPA",
        "File photo",
        "A ferry leaves Lake Town. REUTERS/Jane Doe",
        "A ferry leaves Lake Town on Monday. (Jane Doe/AFP via Getty Images)",
        "Ferry at sea — Getty Images",
        "1 of 24 Ann Fox Jane Doe/Getty Images for Lake Town 2 of 24",
    ],
    "a credit": [
        "Reporting by Ann Fox; Editing by Ted Moss",
        "(Reporting by Ann Fox in Lake Town; Additional reporting by Ted Moss; Editing by Kay Roy)",
        "Additional reporting by Ann Fox.",
        "Ann Fox contributed to this report.",
        "Ann Fox and Ted Moss in Lake Town contributed reporting to this story.",
        "With inputs from PTI",
        "With inputs from agencies",
        "Source: AFP",
        "Text by Ann Fox",
        "Our Standards: The Thomson Reuters Trust Principles.",
        "Published by: Ann Fox",
        "Edited by: Ann Fox",
    ],
    "an address": [
        "@annfox",
        "@annfox @tedmoss",
        "Twitter: @annfox",
        "https://www.example.com/article/1",
        "pic.twitter.com/abc123",
        "ann@example.com",
    ],
    "navigation": [
        "Home > News > World",
        "Home News World Politics",
        "Home | World | Politics",
        "Skip to main content",
        "Skip to content",
        "Menu",
        "Search",
        "Toggle navigation",
        "Back to top",
        "Load more",
        "Show more",
        "See all",
        "View all posts",
        "Page 1 of 3",
        "1/5",
        "Previous",
        "Next",
        "Loading...",
        "Watch live",
        "Play video",
        "Listen to this article",
        "Report an error",
        "Contact us",
        "About Us",
        "Got a tip?",
        "Breaking News",
        "LIVE",
        "Uncategorized",
        "Opinion",
        "World",
        "News",
        "Fact check",
    ],
    "text in another script": [
        "市长走了，他赢了",
        "Мэр покинул город",
    ],
}

PROSE = [
    "Visited by 40 heads of state since May, the town has never been so full.",
    "The video was viewed 3 million times before the site took it down.",
    "The article was shared 4,000 times on Facebook.",
    "Related charges against the company were dropped last year.",
    "More than 20 people died.",
    "More from the region is expected to be exported next year.",
    "More help is on the way.",
    "Read the law, the judge told them.",
    "“Read more,” the teacher said.",
    "Share prices fell by 3 percent.",
    "Shares of the company rose.",
    "Share this burden, he told the allies.",
    "Facebook and Twitter declined to comment.",
    "Facebook, Google and Amazon",
    "Follow the money, the detective said.",
    "The company asked readers to subscribe to its newsletter.",
    "Subscribers to the service pay $5 a month.",
    "Sign-ups for the newsletter doubled in a year.",
    "Sign here, the officer told him.",
    "Join us, the rebels said, or leave.",
    "Get out of our country, he shouted.",
    "Download speeds fell last year.",
    "Support for the president fell to 38 percent.",
    "Support our troops, the banner read.",
    "Advertisers left the platform in droves.",
    "Advertising revenue fell by 3 percent.",
    "Google said the cookies would be phased out next year.",
    "Cookies are small files that a site stores on a computer.",
    "By using drones, the army said, it could accept fewer losses.",
    "By signing the deal, both sides agree to share data.",
    "Privacy advocates said the policy was too vague.",
    "Copyright law protects the song, the court said.",
    "Copyright is not the issue, the judge said.",
    "The post was deleted after an hour.",
    "The post office closed in May.",
    "The article was published in the Herald on Monday and led to his arrest.",
    "This article of the constitution was amended in 1999.",
    "Tags on the animals showed where they had been.",
    "Categories of goods that are exempt include food and fuel.",
    "Topics ranged from trade to security.",
    "On Monday, the mayor left.",
    "In May 2024 the ferry sank.",
    "May 5 was a Monday.",
    "Updated figures showed that 300 people had died.",
    "Updated rules will take effect on May 5.",
    "Published in 1999, the novel sold 3 million copies.",
    "It happened three hours ago, the police said.",
    "Comments by the president drew anger in Paris.",
    "Comment was not immediately available.",
    "No comment, she said.",
    "Leave a message and go, the caller said.",
    "Join the army and see the world, the poster said.",
    "Your email is safe, the company told users.",
    "Responses to the attack varied.",
    "The views expressed by the senator alarmed his party.",
    "He expressed his views to the author of the bill.",
    "The drug does not constitute a danger, he said.",
    "That is not financial advice, the lawyer told the court.",
    "Getty Images sued the company in London in 2023.",
    "Reuters could not verify the footage.",
    "The news was first reported by Reuters.",
    "He told Reuters that the talks had failed.",
    "A spokesman declined to comment to AFP.",
    "The Associated Press contributed nothing to the fund, he said.",
    "Photo evidence was shown to the jury.",
    "Photographs of the scene were shown in court.",
    "Image recognition is a hard problem.",
    "Image is everything, he said.",
    "Video of the attack spread online.",
    "Reporting by the Guardian found that the firm had paid bribes.",
    "Editing genes is risky, the panel said.",
    "She contributed to this effort for years.",
    "Source code was stolen, the firm said.",
    "Sources said the deal was near.",
    "Sources: the ministry, the bank and the court.",
    "Home prices rose by 3 percent.",
    "Home Office figures show a rise.",
    "World leaders met in Paris.",
    "News of the deal spread fast.",
    "Search teams found the plane on Monday.",
    "Page one of the paper was blank.",
    "Back to work, the minister told strikers.",
    "Back to the drawing board, he said.",
    "Show me the money, he said.",
    "Next year the ferry will be replaced.",
    "Previous talks had failed.",
    "Live music returned to the square.",
    "Watch out, she told them.",
    "Breaking the deadlock will take months.",
    "Contact with the plane was lost at 5:30 p.m. on Monday.",
    "About us, nothing was said.",
    "Opinion polls show him ahead.",
    "Disclosure of the papers was ordered by the court.",
    "Trending topics can be bought, the study found.",
    "Ads on the platform cost $5.",
    "The ad was pulled.",
    "Thanks for coming, he told the crowd.",
    "Thank you for your service, he said.",
    "To continue the war would be a mistake, he said.",
    "You have to read the article, he said.",
    "Get the vaccine now, officials urged, and keep the inbox of your doctor free.",
    "Start your engines.",
    "Want more proof?",
    "Two people were hurt; 5 views were recorded.",
    "10 of 24 people on board survived.",
    "1 of 3 Americans is affected.",
    "“I like it,” said Ann Fox/Ted Moss.",
    "The EPA/Ford deal was struck in 1999.",
    "He works for AP/Reuters joint desk in Cairo and lives there.",
    "Editors of the paper resigned.",
    "Our standards are high, the chef said.",
    "Ann Fox is a reporter.",
    "Join the debate, he urged voters in the free trade zone.",
]


@pytest.mark.parametrize(
    ("text", "reason"), [(text, reason) for reason, texts in BOILERPLATE.items() for text in texts]
)
def test_boilerplate_names_what_a_line_of_the_page_is(text: str, reason: str) -> None:
    assert boilerplate_reason(text) == reason
    assert boilerplate_reason(f"  {text} \n") == reason


@pytest.mark.parametrize("text", PROSE)
def test_boilerplate_leaves_prose_alone(text: str) -> None:
    assert boilerplate_reason(text) is None


@given(st.text())
def test_boilerplate_judges_any_text(text: str) -> None:
    reason = boilerplate_reason(text)
    assert reason is None or reason.strip()
    assert {looks_like_byline(text), looks_like_headline(text), looks_like_caption(text)} <= {
        True,
        False,
    }


HOSTILE = [
    "a ",
    "/",
    "> ",
    "1 of 24 ",
    "A. ",
    "by A ",
    "tag: ",
    "(@a) b 1",
    "copy link ",
    "1: ",
    ",, ",
]
HOSTILE += [
    "A-",
    "AA",
    "A A-",
    "A, ",
    "home news ",
    "#a ",
    "@a ",
    "a@a.a",
    "the article ",
    "1,1",
    "ap/",
]


@pytest.mark.parametrize("unit", HOSTILE)
@pytest.mark.parametrize("start", ["", "By ", "Reporting by ", "Ann Fox ", "Ann Fox is a ", "1 "])
def test_boilerplate_judges_hostile_lines(start: str, unit: str) -> None:
    """A pattern that tries every way to part a line would not come back from these."""
    for length, end in ((390, "!"), (390, "~"), (100_000, "!")):
        text = start + unit * (length // len(unit)) + end
        assert boilerplate_reason(text) != "text in another script"
        assert looks_like_byline(text) + looks_like_headline(text) + looks_like_caption(text) < 3


BYLINES = [
    "By Ann Fox",
    "BY ANN FOX Staff Writer",
    "By Ann Fox and Ted Moss, Lake Herald",
    "By Ann Fox | Lake Herald | May 5, 2024",
    "By Ann Fox Sep 20, 2025 5:30 PM",
    "Ann Fox, Reuters",
    "Ann Fox, Senior Political Correspondent",
    "Analysis by Ann Fox",
    "By J. D. Fox Jr.",
]
HEADLINES = [
    "Mayor to leave Lake Town – if the board agrees",
    "Mayor to Leave Lake Town After Nine Years in Office, Board Says in Letter to the Whole Staff",
    "Lake Town",
    "What Next for Lake Town?",
    "iPhone sales fall",
    "‘We built two piers’: mayor looks back",
]
CAPTIONS = [
    "In this photo illustration, a ferry is displayed on a phone.",
    "The mayor is seen at the harbour in Lake Town on May 5, 2024.",
    "FILE - The ferry at Lake Town, May 5, 2024.",
    "Mayor Ann Fox (left) with the board",
]
BODY = [
    "By Monday the ice had gone.",
    "The mayor said on Monday that she would leave.",
    "“Why now?” the board asked.",
    "Is nothing safe on the lake?",
    "The mayor is seen as a friend of the board.",
    "She left behind a town that had grown used to her and to the ferry which",
]


@pytest.mark.parametrize("text", BYLINES)
def test_boilerplate_bylines_are_seen(text: str) -> None:
    assert looks_like_byline(text)


@pytest.mark.parametrize("text", HEADLINES)
def test_boilerplate_headlines_are_seen(text: str) -> None:
    assert looks_like_headline(text)


@pytest.mark.parametrize("text", CAPTIONS)
def test_boilerplate_captions_are_seen(text: str) -> None:
    assert looks_like_caption(text)


@pytest.mark.parametrize("text", BODY)
def test_boilerplate_body_looks_like_none_of_them(text: str) -> None:
    assert not looks_like_byline(text)
    assert not looks_like_headline(text)
    assert not looks_like_caption(text)


P = "The ferry line has been losing money for years, the board said."
HEAD, SUB = "Skaters Return to the Frozen Lake", "Money trouble"
CUT = "The ice has come early this year and with it the skaters who"


def outside(texts: Sequence[str], end: Literal["head", "tail"]) -> int:
    return count_outside([make_sentence(0, text, 0) for text in texts if text.strip()], end)


RUNS: dict[str, tuple[Literal["head", "tail"], list[str], int]] = {
    "nothing": ("tail", [], 0),
    "prose left out": ("tail", [P, P, P], 0),
    "a counter takes all along": ("tail", ["Visited 3 times", HEAD, P, P, P, P, P, P, P], 9),
    "prose, then a counter": ("tail", [P, P, "Visited 3 times", P], 2),
    "teasers without a marker": ("tail", [HEAD, P, "Ice Comes Early to the North Shore", P, P], 5),
    "a teaser cut short": ("tail", [SUB, P, P, P, P, CUT], 6),
    "headlines alone": ("tail", [P, HEAD, SUB, HEAD], 3),
    "sections with subheads left out": ("tail", [P, SUB, P, P, SUB, P, P, P], 0),
    "a long section under a headline": ("tail", [HEAD, P, P, P, P, P], 0),
    "an advertisement inside the article": ("tail", [P, "Advertisement", *[P] * 7], 0),
    "an advertisement, then teasers": ("tail", [P, "Advertisement", HEAD, P], 3),
    "inside, then the end": ("tail", [P, "Read more: Ice", *[P] * 7, "Leave a Reply"], 1),
    "a note on the author": (
        "tail",
        [P, "Ann Fox is a harbour correspondent for the Herald, based in Lake Town."],
        1,
    ),
    "credits": ("tail", [P, "Ted Moss contributed to this report.", "© 2025 Lake Herald"], 2),
    "another script": ("tail", [P, "市长走了，他赢了很多。", P], 2),
    "navigation, headline, byline": (
        "head",
        ["Home > News", HEAD, "By Ann Fox", "Published May 5, 2024", P],
        4,
    ),
    "standfirst between headline and byline": ("head", [HEAD, P, "By Ann Fox", P, P], 3),
    "standfirst without a stop": ("head", [HEAD, "Board sees no need to hurry now", P], 2),
    "a caption above the article": ("head", [HEAD, CAPTIONS[0], P], 2),
    "the article's own subheads": ("head", [HEAD, *[P] * 5, SUB, P], 1),
    "prose at the head": ("head", [P, P], 0),
}


@pytest.mark.parametrize("name", RUNS)
def test_boilerplate_run_is_split(name: str) -> None:
    end, texts, n_outside = RUNS[name]
    assert outside(texts, end) == n_outside


UNITS = st.sampled_from([P, HEAD, SUB, CUT, "Visited 3 times", "Advertisement", "By Ann Fox", "©"])


@pytest.mark.slow
@given(st.lists(UNITS | st.text(min_size=1)), st.sampled_from(["head", "tail"]))
def test_boilerplate_run_counts_units_of_the_run(
    texts: Sequence[str], end: Literal["head", "tail"]
) -> None:
    assert 0 <= outside(texts, end) <= len(texts)


@given(st.lists(UNITS))
def test_boilerplate_prose_next_to_the_body_is_never_outside_at_the_tail(texts: list[str]) -> None:
    assert outside([P, *texts], "tail") == outside(texts, "tail")
