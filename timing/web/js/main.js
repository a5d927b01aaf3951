// The leaderboard page: feed in, screen out.

import { CarPanel } from "./car.js";
import { Leaderboard } from "./leaderboard.js";
import { Messages } from "./messages.js";
import { ColumnPicker } from "./picker.js";
import { Screen } from "./screen.js";
import { Toolbar } from "./toolbar.js";
import { Wall, WALL_COLUMNS } from "./wall.js";

const screen = new Screen();
const { choices } = screen;
const wall = choices.get("view") === "wall";
const again = () => screen.again();
const board = new Leaderboard(document.querySelector("#board"), { open: (car) => panel.open(car), wide: wall });
const panel = new CarPanel(document.querySelector("#car"), screen, (car) => board.keys.focus(car));
const messages = new Messages(document.querySelector("#messages"));
const toolbar = new Toolbar(document.querySelector("#tools"), choices, again, wall ? WALL_COLUMNS : null);
const picker = new ColumnPicker(screen.settings, choices, again);
const alone = choices.get("messages") === "0";
document.querySelector("#messages").hidden = alone;
document.querySelector("#main").classList.toggle("alone", alone);
if (wall) new Wall(board.body, { rows: choices.get("rows"), every: choices.get("every") });

let first = true;
screen.draws((state) => {
  picker.render(state);
  toolbar.render(state);
  const rest = board.render(state, toolbar.choice(state));
  messages.jump = screen.replay ? (message) => screen.replay.go(message) : null;
  messages.render(state.messages);
  if (first && choices.get("car") in state.rows) panel.open(choices.get("car"));
  first = first && state.order.length === 0;
  panel.render(state);
  return rest;
});
await screen.open();
globalThis.parcferme.board = board;
