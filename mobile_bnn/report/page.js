// Makes tables sortable and filterable, lists the sections, and switches between light and dark.
"use strict";

const number = (text) => {
  const match = text.replace(/[,\u202f]/g, "").replace("\u2212", "-").match(/^[<>+]?\s*(-?[\d.]+(?:e[-+]?\d+)?)\s*(.*)$/);
  if (!match) return NaN;
  const units = { k: 1e3, kB: 1e3, M: 1e6, MB: 1e6, G: 1e9, GB: 1e9, T: 1e12 };
  return parseFloat(match[1]) * (units[match[2]] ?? 1);
};

function compare(a, b) {
  const [x, y] = [number(a), number(b)];
  if (!Number.isNaN(x) && !Number.isNaN(y)) return x - y;
  if (Number.isNaN(x) !== Number.isNaN(y)) return Number.isNaN(x) ? 1 : -1; // what is no number comes last
  return a.localeCompare(b);
}

function sort(table, column, header) {
  const down = header.getAttribute("aria-sort") !== "descending";
  for (const other of table.tHead.rows[0].cells) other.setAttribute("aria-sort", "none");
  header.setAttribute("aria-sort", down ? "descending" : "ascending");
  const cell = (row) => row.cells[column].textContent.trim();
  const rows = [...table.tBodies[0].rows].sort((a, b) => (down ? compare(cell(b), cell(a)) : compare(cell(a), cell(b))));
  table.tBodies[0].append(...rows);
}

function makeSortable(table) {
  [...table.tHead.rows[0].cells].forEach((header, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...header.childNodes);
    button.addEventListener("click", () => sort(table, column, header));
    header.setAttribute("aria-sort", "none");
    header.append(button);
  });
}

function makeFilter(table) {
  const box = document.createElement("input");
  box.type = "search";
  box.className = "filter";
  box.placeholder = "Filter rows";
  box.setAttribute("aria-label", `Filter: ${table.caption.textContent.trim()}`);
  box.addEventListener("input", () => {
    const words = box.value.toLowerCase().split(/\s+/);
    for (const row of table.tBodies[0].rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
    }
  });
  table.parentElement.before(box);
}

for (const table of document.querySelectorAll("table.sortable")) {
  if (table.tBodies[0].rows.length > 1) makeSortable(table);
  if (table.tBodies[0].rows.length > 7) makeFilter(table);
}

const sections = document.getElementById("sections");
for (const section of document.querySelectorAll("main > section")) {
  const link = document.createElement("a");
  link.href = `#${section.id}`;
  link.textContent = section.querySelector("h2").textContent;
  sections.append(link);
}

const theme = document.getElementById("theme");
const prefersDark = window.matchMedia("(prefers-color-scheme: dark)");
const remembered = () => {
  try {
    return localStorage.getItem("theme");
  } catch {
    return null; // some browsers have no storage for files
  }
};
const isDark = () => (document.documentElement.dataset.theme ?? (prefersDark.matches ? "dark" : "light")) === "dark";
function show(choice) {
  if (choice) document.documentElement.dataset.theme = choice;
  theme.textContent = isDark() ? "Light" : "Dark";
}
theme.addEventListener("click", () => {
  show(isDark() ? "light" : "dark");
  try {
    localStorage.setItem("theme", document.documentElement.dataset.theme);
  } catch {
    // then it is not remembered
  }
});
prefersDark.addEventListener("change", () => show(null));
theme.hidden = false;
show(remembered());
