// Filters, the threshold and the keys of a report page. It reads what the rows say of themselves
// (data-drift, data-kinds) and only ever hides, flags and focuses them; it makes no markup.
(() => {
  "use strict";

  const one = (selector, within = document) => within.querySelector(selector);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];

  const form = one(".filters");
  const mover = one(".mover");
  const slider = one("input[type=range]", form);
  const boxes = all("input[name=kind]", form);
  const drift = boxes.find((box) => box.value === "drift");
  const rows = all(".rows > li").map((item, place) => ({
    item,
    place,
    kinds: item.dataset.kinds.split(" ").filter(Boolean),
    drift: "drift" in item.dataset ? Number(item.dataset.drift) : null,
    reported: item.classList.contains("flagged"), // at the report's own threshold
  }));
  const slips = new Set(["case", "possessive"]); // these are no findings
  let current = null;

  const moved = () => Number(slider.value) !== Number(slider.defaultValue);
  const number = (value) => value.toLocaleString("en");

  function flag() {
    const threshold = Number(slider.value);
    for (const row of rows) {
      if (row.drift === null) continue;
      row.flagged = moved() ? row.drift >= threshold : row.reported;
      if (row.flagged === row.item.classList.contains("flagged")) continue;
      row.item.classList.toggle("flagged", row.flagged);
      const number = one(".number", row.item);
      one(".flag", number)?.remove();
      if (row.flagged) {
        const word = document.createElement("strong");
        word.className = "flag";
        word.textContent = "flagged";
        number.append(word);
      }
    }
    if (slider.dataset.shown !== slider.value) {
      slider.dataset.shown = slider.value;
      const x = String(100 * threshold - 1);
      for (const limit of all(".rows .limit")) limit.setAttribute("x", x);
      one("output", form).textContent = threshold.toFixed(2);
      one(".count", drift.parentElement).textContent =
        number(rows.filter((row) => row.flagged).length);
    }
  }

  const isFinding = (row) => row.flagged || row.kinds.some((kind) => !slips.has(kind));

  function filter() {
    const asked = new Set(boxes.filter((box) => box.checked).map((box) => box.value));
    let n = 0;
    for (const row of rows) {
      const fits =
        !asked.size ||
        (asked.has("drift") && row.flagged) ||
        row.kinds.some((kind) => asked.has(kind));
      if (row.item.hidden === fits) row.item.hidden = !fits;
      n += fits;
    }
    for (const again of all(".again")) again.open = asked.size > 0; // what is above may be hidden
    one(".nothing").hidden = n > 0 || !rows.length;
    one(".shown", form).textContent =
      `${number(n)} of ${number(rows.length)} rows shown` +
      (moved() ? `; the report’s own threshold is ${slider.defaultValue}` : "");
    document.body.classList.toggle("filtered", asked.size > 0);
  }

  function tell() {
    const findings = rows.filter((row) => !row.item.hidden && isFinding(row));
    const at = findings.indexOf(current);
    one(".at", mover).textContent = findings.length
      ? `${at < 0 ? "" : `${number(at + 1)} of `}${number(findings.length)} finding` +
        (findings.length === 1 ? "" : "s")
      : "no findings";
    for (const button of all("button", mover)) button.disabled = !findings.length;
    return findings;
  }

  function update() {
    flag();
    filter();
    tell();
  }

  // The next finding after the focused row, or after the last one visited; round at the ends.
  function move(step) {
    const findings = tell();
    if (!findings.length) return;
    const focused = document.activeElement?.closest?.(".rows > li");
    const from = (rows.find((row) => row.item === focused) ?? current)?.place;
    let next = -1;
    if (from !== undefined) {
      next = step > 0
        ? findings.findIndex((row) => row.place > from)
        : findings.findLastIndex((row) => row.place < from);
    }
    if (next < 0) next = step > 0 ? 0 : findings.length - 1;
    current = findings[next];
    current.item.tabIndex = -1;
    current.item.focus({ preventScroll: true });
    current.item.scrollIntoView({ block: "center" });
    tell();
  }

  form.addEventListener("input", update);
  form.addEventListener("submit", (event) => event.preventDefault());
  one("[type=reset]", form).addEventListener("click", (event) => {
    event.preventDefault(); // it would put the fields back only after its listeners
    form.reset();
    update();
  });
  one("[name=next]", mover).addEventListener("click", () => move(1));
  one("[name=previous]", mover).addEventListener("click", () => move(-1));

  const steps = { j: 1, n: 1, k: -1, p: -1 };
  document.addEventListener("keydown", (event) => {
    const modified = event.ctrlKey || event.altKey || event.metaKey || event.shiftKey;
    const typing = event.target.closest?.(
      "input:not([type=checkbox]):not([type=range]), textarea, select, [contenteditable]",
    );
    if (modified || typing || event.isComposing || event.defaultPrevented) return;
    if (!one("[name=keys]", mover).checked || !(event.key in steps)) return;
    event.preventDefault();
    move(steps[event.key]);
  });

  one("details", form).open = !matchMedia("(max-width: 44rem)").matches;
  form.hidden = false;
  mover.hidden = false;
  form.reset(); // some browsers keep what was ticked before a page was loaded again
  update();
})();
