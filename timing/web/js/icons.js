// The signs on the buttons of the replay bar, as paths of 24 by 24.

const SVG = "http://www.w3.org/2000/svg";

const PATHS = {
  play: "M8 5v14l11-7z",
  pause: "M6 5h4v14H6zM14 5h4v14h-4z",
  again: "M12 5V1L7 6l5 5V7a6 6 0 1 1-6 6H4a8 8 0 1 0 8-8z",
  start: "M4 5h2.5v14H4zM13.5 5v14L7 12zM21 5v14l-6.5-7z",
  back: "M12 5v14L3 12zM21 5v14l-9-7z",
  on: "M3 5v14l9-7zM12 5v14l9-7z",
  lap_back: "M5 5h2.5v14H5zM19 5v14L8.5 12z",
  lap_on: "M16.5 5H19v14h-2.5zM5 5v14l10.5-7z",
  mark_back: "M4 4h2v16H4zM8 5h12l-3 4 3 4H8zM8 5v8z",
  mark_on: "M4 4h2v16H4zM8 5h12l-3 4 3 4H8zM13 15.5l4 3-4 3z",
  frame_back: "M14.5 6 7 12l7.5 6z",
  frame_on: "M9.5 6 17 12l-7.5 6z",
  record_back: "M16 6 9 12l7 6zM6 6h2v12H6z",
  record_on: "M8 6l7 6-7 6zM16 6h2v12h-2z",
  list: "M4 6h2v2H4zM8 6h12v2H8zM4 11h2v2H4zM8 11h12v2H8zM4 16h2v2H4zM8 16h12v2H8z",
  link: "M3.9 12A3.1 3.1 0 0 1 7 8.9h4V7H7a5 5 0 0 0 0 10h4v-1.9H7A3.1 3.1 0 0 1 3.9 12zM8 13h8v-2H8zM17 7h-4v1.9h4a3.1 3.1 0 0 1 0 6.2h-4V17h4a5 5 0 0 0 0-10z",
  help: "M11 16h2v2h-2zM12 5a4.5 4.5 0 0 0-4.5 4.5h2a2.5 2.5 0 1 1 3.7 2.2c-1.2.7-2.2 1.3-2.2 2.8h2c0-.7.5-1 1.3-1.5A4.5 4.5 0 0 0 12 5z",
  more: "M5 10h4v4H5zM10 10h4v4h-4zM15 10h4v4h-4z",
};

/** An icon by its name; for the eye alone, what it means is said by the button. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}
