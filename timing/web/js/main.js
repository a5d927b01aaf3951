// The leaderboard page: feed in, screen out.

import { Leaderboard } from "./leaderboard.js";
import { Messages } from "./messages.js";
import { Screen } from "./screen.js";
import { Toolbar } from "./toolbar.js";

const screen = new Screen();
const board = new Leaderboard(document.querySelector("#board"));
const messages = new Messages(document.querySelector("#messages"));
const toolbar = new Toolbar(document.querySelector("#tools"), screen.choices, () => screen.again());

screen.draws((state) => {
  toolbar.render(state);
  board.render(state, toolbar.choice(state));
  messages.render(state.messages);
});
await screen.open();
