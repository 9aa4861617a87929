from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.fakes import FakeEncoder

from detector.archive import ranking as index
from detector.archive.add import Added, encode_sentences
from detector.archive.archive import Archive, query_sentences
from detector.archive.articles import Article, Entry, read_articles
from detector.archive.match import match
from detector.archive.store import folder_of, open_store, write_lock
from detector.encoder import MiniLMEncoder
from detector.errors import InputError, MissingExtra
from detector.scorer import Scorer
from detector.text.sentences import split

pytest.importorskip("lancedb")

WORDS = re.findall(
    r"\w+",
    "harbour minister fishing quota vessel winter storm council budget railway tunnel engineer "
    "museum painter gallery auction orchard harvest beekeeper meadow comet telescope orbit probe "
    "striker penalty stadium referee vaccine clinic nurse ward senate ballot campaign governor",
)


def article(number: int, n_sentences: int = 6) -> Article:
    rng = random.Random(number)
    lines = [" ".join(rng.sample(WORDS, 7)).capitalize() + "." for _ in range(n_sentences)]
    return Article(id=f"a{number}", text="\n\n".join(lines), title=f"Title {number}")


def lines_of(one: Article) -> list[str]:
    return one.text.split("\n\n")


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    made = Archive(tmp_path / "kept", encoder=FakeEncoder())
    made.add(article(n) for n in range(30))
    return made


def ids(made: Archive) -> list[str]:
    store = open_store(made._uri)
    return sorted(one.id for one in store.articles(range(10_000)).values())


def test_archive_finds_the_source_of_a_copy(archive: Archive) -> None:
    found = archive.search(article(7).text)
    assert found[0].article == article(7)
    assert found[0].share == pytest.approx(1.0, abs=0.01)
    assert found[0].sentences == tuple(range(6))
    assert found[1].share < 0.5


def test_archive_finds_the_source_of_a_part(archive: Archive) -> None:
    part = "\n\n".join(lines_of(article(11))[2:4])
    assert archive.search(part)[0].article.id == "a11"


def test_archive_says_which_source_explains_which_sentences_of_a_stitched_copy(
    archive: Archive,
) -> None:
    text = "\n\n".join(lines_of(article(3))[:4] + lines_of(article(5))[1:4])
    found = match(text, archive, top=1)
    assert {one.id: one.sentences for one in found.sources} == {
        "a3": (0, 1, 2, 3),
        "a5": (4, 5, 6),
    }


def test_archive_boilerplate_is_not_searched(archive: Archive) -> None:
    text = "\n\n".join(["Subscribe to our newsletter", *lines_of(article(2)), "Share on Facebook"])
    assert 0 not in query_sentences(split(text))
    assert archive.search(text)[0].share == pytest.approx(1.0, abs=0.01)


def test_archive_long_suspects_are_searched_by_some_of_their_sentences() -> None:
    queries = query_sentences(split("\n\n".join(lines_of(article(1, n_sentences=400)))))
    assert len(queries) == 20
    assert (queries[0], queries[-1]) == (0, 399)


def test_archive_adding_again_adds_nothing(archive: Archive) -> None:
    before = archive.info()
    done = archive.add(article(n) for n in range(31))
    assert done == Added(n_added=1, n_sentences=6, n_known=30)
    assert archive.info().n_articles == before.n_articles + 1


def test_archive_one_text_under_two_ids_is_one_article(archive: Archive) -> None:
    twin = Article(id="another", text=article(4).text)
    assert archive.add([twin, twin]) == Added(n_known=2)


def test_archive_another_text_under_an_id_is_refused(archive: Archive) -> None:
    refused = []
    other = Article(id="a4", text=article(99).text)
    done = archive.add([other], refused=lambda place, reason: refused.append((place, reason)))
    assert done == Added(n_refused=1)
    assert refused == [
        ("article 1", "the archive holds another text under this id; remove that first")
    ]


def test_archive_remove_takes_out_and_lets_in_again(archive: Archive) -> None:
    assert sorted(archive.remove(["a4", "a9", "nobody"])) == ["a4", "a9"]
    assert archive.info().n_articles == 28
    assert archive.info().n_sentences == 28 * 6
    assert "a4" not in {one.article.id for one in archive.search(article(4).text, top=40)}
    assert archive.add([article(4)]).n_added == 1
    assert archive.search(article(4).text)[0].article.id == "a4"


def test_archive_remove_wants_a_list(archive: Archive) -> None:
    with pytest.raises(InputError, match="give a list of ids"):
        archive.remove("a4")


def test_archive_stops_on_demand_with_what_came_before_stored(archive: Archive) -> None:
    def refuse(place: str, reason: str) -> None:
        msg = f"{place}: {reason}"
        raise InputError(msg)

    entries = [article(40), Entry(place="row 2", article=None, reason="broken"), article(41)]
    with pytest.raises(InputError, match="row 2: broken"):
        archive.add(entries, refused=refuse)
    assert {"a40", "a41"} & set(ids(archive)) == {"a40"}


@pytest.mark.parametrize("name", ["it's", "a'; DROP TABLE articles; --", '"', "\x1b[31m", "\u202e"])
def test_archive_ids_of_any_kind_are_kept_and_removed(tmp_path: Path, name: str) -> None:
    made = Archive(tmp_path / "kept", encoder=FakeEncoder())
    made.add([Article(id=name, text=article(1).text), article(2)])
    assert made.search(article(1).text)[0].article.id == name
    assert made.remove([name]) == [name]
    assert ids(made) == ["a2"]


def test_archive_refuses_another_encoder(archive: Archive) -> None:
    identity = replace(FakeEncoder().identity, name="other", weights_sha256="1" * 64)
    other = Archive(archive._uri, encoder=FakeEncoder(identity))
    for doing in (lambda: other.add([article(50)]), lambda: other.search("Words.")):
        with pytest.raises(InputError, match=r"by fake with weights 0{12}.*is other with 1{12}"):
            doing()


def test_archive_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no archive here"):
        Archive(tmp_path / "none").info()
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no archive here"):
        Archive(tmp_path / "empty").info()


def test_archive_bears_a_stray_file(archive: Archive) -> None:
    (Path(archive._uri) / "notes.txt").write_text("mine", encoding="utf-8")
    assert archive.add([article(60)]).n_added == 1


def test_archive_a_story_that_went_to_all_papers_is_found(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index, "NEAREST", 4)
    story = article(80).text
    archive.add(Article(id=f"paper{n}", text=f"{story}\n\nPaper {n}.") for n in range(12))
    found = archive.search(story)
    assert all(one.article.id.startswith("paper") for one in found[:2])
    assert found[0].share == pytest.approx(1.0, abs=0.01)


def test_archive_does_not_move_in_with_other_files(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(InputError, match=r"holds letter\.txt, no archive"):
        Archive(tmp_path, encoder=FakeEncoder()).add([article(1)])
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


@pytest.mark.parametrize("table", ["articles", "sentences"])
def test_archive_never_drops_a_table_of_somebody_else(tmp_path: Path, table: str) -> None:
    import lancedb

    base = lancedb.connect(tmp_path)
    base.create_table(table, [{"name": "mine"}])
    with pytest.raises(InputError, match=rf"holds a table {table} .*that is new or holds an arch"):
        Archive(tmp_path, encoder=FakeEncoder()).add([article(1)])
    assert base.open_table(table).to_arrow().to_pylist() == [{"name": "mine"}]


def test_archive_never_drops_articles_of_a_damaged_archive(archive: Archive) -> None:
    folder = Path(archive._uri)
    shutil.rmtree(folder / "settings.lance")
    with pytest.raises(InputError, match="holds a table articles"):
        archive.add([article(60)])
    assert (folder / "articles.lance").is_dir()


def test_archive_killed_while_it_was_made_is_made_anew(tmp_path: Path) -> None:
    folder = tmp_path / "half"
    made = Archive(folder, encoder=FakeEncoder())
    made.add([])
    shutil.rmtree(folder / "settings.lance")
    assert made.add([article(1)]).n_added == 1


def test_archive_at_a_file_address_is_the_folder_and_takes_its_lock(archive: Archive) -> None:
    folder = Path(archive._uri)
    for address in (f"file://{folder}", f"file://localhost{folder}", f"FILE:{folder}"):
        assert folder_of(address) == folder
        same = Archive(address, encoder=FakeEncoder())
        assert same.n_articles == 30
        with write_lock(archive._uri), pytest.raises(InputError, match="another process is writ"):
            same.add([article(60)])
    assert folder_of("s3://bucket/archive") is None


@pytest.mark.parametrize("part", ["sentences", "articles", "settings"])
def test_archive_damaged_files_are_a_clear_error(archive: Archive, part: str) -> None:
    for path in (Path(archive._uri) / f"{part}.lance").rglob("*"):
        if path.is_file():
            path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(InputError, match="damaged"):
        Archive(archive._uri, encoder=FakeEncoder()).search(article(1).text)


def test_archive_of_another_layout_is_refused(archive: Archive) -> None:
    store = open_store(archive._uri)
    store.set_setting("archive", {"schema": 99, "encoder": store.encoder.to_dict()})
    with pytest.raises(InputError, match="schema 99, this version reads 1"):
        Archive(archive._uri).info()


@pytest.mark.parametrize("value", ["x", {"x": 1}, [[]], [None], [10**30], [1e999], ["1 or true"]])
@pytest.mark.parametrize("key", ["next", "removing", "indexed"])
def test_archive_odd_settings_are_refused(archive: Archive, key: str, value: object) -> None:
    store = open_store(archive._uri)
    store.set_setting(key, value)
    with pytest.raises(InputError, match="the archive cannot be read"):
        store.numbers(key)
    if key != "indexed":
        with pytest.raises(InputError, match="the archive cannot be read"):
            archive.add([article(60)])
    assert archive.n_articles == 30


@pytest.mark.parametrize(
    "value",
    [None, [], "x", {}, {"schema": 1}, {"schema": 1, "encoder": {"name": 1}}, {"schema": [1]}],
)
def test_archive_an_odd_description_is_refused(archive: Archive, value: object) -> None:
    open_store(archive._uri).set_setting("archive", value)
    with pytest.raises(InputError, match=r"cannot be opened|has schema"):
        archive.add([article(60)])


def test_archive_two_writers_at_once_are_refused(archive: Archive) -> None:
    with write_lock(archive._uri):
        with pytest.raises(InputError, match="another process is writing"):
            archive.add([article(60)])
        with pytest.raises(InputError, match="another process is writing"):
            archive.remove(["a1"])
    assert archive.add([article(60)]).n_added == 1


def test_archive_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    with pytest.raises(InputError, match="cannot be written"):
        Archive(tmp_path / "file", encoder=FakeEncoder()).add([article(60)])


def test_archive_needs_its_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lancedb", None)
    with pytest.raises(MissingExtra, match=r"roundtrip-detector\[archive\]"):
        Archive(tmp_path / "kept", encoder=FakeEncoder()).add([article(1)])


def test_archive_index_finds_what_looking_at_all_finds(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index, "NEAREST", 8)
    plain = [archive.search(article(n).text)[0] for n in range(10)]
    monkeypatch.setattr(index, "INDEX_FROM", 100)
    monkeypatch.setattr(index, "_PARTITION", 90)
    archive.add([article(70)])
    state = archive.info().index
    assert (state.kind, state.n_indexed, state.n_left) == ("IVF_SQ", 31 * 6, 0)
    again = Archive(archive._uri, encoder=FakeEncoder())
    for before, number in zip(plain, range(10), strict=True):
        found = again.search(article(number).text)[0]
        assert found.article.id == before.article.id
        assert found.share == pytest.approx(before.share, abs=0.02)
    again.add([article(71)])
    assert again.search(article(71).text)[0].article.id == "a71"
    assert again.info().index.n_indexed + again.info().index.n_left == 32 * 6


def test_archive_vectors_come_back_in_order(archive: Archive) -> None:
    found = archive.search(article(8).text)[0]
    wanted = encode_sentences(lines_of(article(8)), FakeEncoder())
    np.testing.assert_allclose(found.vectors, wanted, atol=1e-3)


# A killed process -----------------------------------------------------------------------------

ADDING = """
import os, signal, sys
from detector.archive import add as adding, store
from detector.archive.archive import Archive
from detector.archive.articles import read_articles
from support.fakes import FakeEncoder

adding.BATCH_SENTENCES, adding.COMPACT_EVERY = 60, 2
folder, table, die_in = sys.argv[1:]

if die_in == "between the tables":
    whole = store.Store.add
    def add(self, encoded):
        articles = self._tables["articles"]
        class Dying:
            def add(self, batch):
                os.kill(os.getpid(), signal.SIGKILL)
        self._tables["articles"] = Dying()
        whole(self, encoded)
    store.Store.add = add
made = Archive(folder, encoder=FakeEncoder())
made.add(read_articles([table]), stored=lambda done: print(done.n_added, flush=True))
print("end", flush=True)
"""


def _run(folder: Path, table: Path, die_in: str = "") -> subprocess.Popen[str]:
    tests = Path(__file__).resolve().parents[1]
    return subprocess.Popen(
        [sys.executable, "-c", ADDING, str(folder), str(table), die_in],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tests.parent), str(tests)])},
        stdout=subprocess.PIPE,
        text=True,
    )


def _table(tmp_path: Path, n: int) -> Path:
    table = tmp_path / "articles.jsonl"
    rows = [{"id": one.id, "text": one.text} for one in map(article, range(n))]
    table.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return table


@pytest.mark.slow
def test_archive_killed_at_any_moment_ends_with_the_same_articles(tmp_path: Path) -> None:
    folder, table = tmp_path / "kept", _table(tmp_path, 300)
    rng = random.Random(0)
    killed = 0
    for _ in range(6):
        process = _run(folder, table)
        assert process.stdout is not None
        for _ in range(rng.randint(1, 4)):
            process.stdout.readline()
        try:
            process.wait(rng.random() * 0.05)
        except subprocess.TimeoutExpired:
            process.kill()
            killed += 1
        process.wait()
        process.stdout.close()
    assert killed >= 3
    with _run(folder, table) as process:
        out, _ = process.communicate()
    assert out.splitlines()[-1] == "end"
    made = Archive(folder, encoder=FakeEncoder())
    assert ids(made) == sorted(f"a{n}" for n in range(300))
    assert made.info().n_sentences == 300 * 6
    assert made.search(article(250).text)[0].article.id == "a250"


@pytest.mark.slow
def test_archive_killed_between_its_tables_keeps_no_half_article(tmp_path: Path) -> None:
    folder, table = tmp_path / "kept", _table(tmp_path, 20)
    with _run(folder, table, "between the tables") as process:
        assert process.wait() == -signal.SIGKILL
    made = Archive(folder, encoder=FakeEncoder())
    assert (made.info().n_articles, made.info().n_sentences) == (0, 60)
    assert made.search(article(3).text) == ()
    made.add(read_articles([table]))
    info = Archive(folder).info()
    assert (info.n_articles, info.n_sentences) == (20, 120)


def test_archive_killed_while_removing_ends_it_when_next_written_to(tmp_path: Path) -> None:
    made = Archive(tmp_path / "kept", encoder=FakeEncoder())
    made.add(article(n) for n in range(10))
    store = open_store(made._uri)
    store.set_setting("removing", [3, 4])  # and then it was killed
    assert made.info().n_articles == 10
    made.add([article(4)])  # is there, as far as it knows, until the removal has ended
    assert ids(made) == sorted({f"a{n}" for n in range(10)} - {"a3"})
    assert made.info().n_sentences == 9 * 6


# With the real encoder ------------------------------------------------------------------------

SOURCE = (
    "The harbour of Vellin was closed on Monday after a storm broke two of its cranes.\n\n"
    "Mayor Ines Okafor said the repairs would take three weeks.\n\n"
    "Fishing boats were sent to the neighbouring port of Arda."
)
COPY = (
    "The port of Vellin was closed Monday after a storm damaged two of its cranes.\n\n"
    "Mayor Ines Okafor said that the repair will last for three weeks.\n\n"
    "Fishing vessels were directed to the nearby port of Arda."
)
OTHER = (
    "The gallery bought a painting by a pupil of the master.\n\n"
    "It will hang beside two portraits from the same year."
)


@pytest.mark.model
def test_archive_matches_a_real_copy_and_reports_on_it(
    tmp_path: Path, encoder: MiniLMEncoder
) -> None:
    made = Archive(tmp_path / "kept", encoder=encoder)
    made.add([Article(id="right", text=SOURCE), Article(id="wrong", text=OTHER)])
    found = match(COPY, made, scorer=Scorer(encoder=encoder, tagger=None))
    assert found.candidates[0].id == "right"
    assert found.candidates[0].sentences == (0, 1, 2)
    assert found.report is not None
    assert found.report.match
    assert found.report.n_copy == found.n_sentences == 3
    # Out of the stored vectors comes what comes out of the two texts.
    relation, wanted = found.candidates[0].relation, found.report.relation
    assert (relation is None) == (wanted is None)
    if relation is not None and wanted is not None:
        assert relation.probabilities == pytest.approx(wanted.probabilities, abs=0.02)


@pytest.mark.model
def test_archive_share_says_how_much_of_a_suspect_is_explained(
    tmp_path: Path, encoder: MiniLMEncoder
) -> None:
    made = Archive(tmp_path / "kept", encoder=encoder)
    made.add([Article(id="right", text=SOURCE), Article(id="wrong", text=OTHER)])
    whole, half = (
        made.search(COPY)[0],
        made.search(f"{COPY}\n\n{'No such thing is known. ' * 9}")[0],
    )
    assert whole.share > half.share
    assert made.search("Bees dance to tell where flowers are.")[0].share < 0.1
