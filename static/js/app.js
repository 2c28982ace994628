// On every page.

import { startDialogs } from "./dialogs.js";
import { startForms } from "./forms.js";
import { startJump } from "./jump.js";
import { startKeyboard } from "./keyboard.js";
import { startLive } from "./live.js";
import { startTheme } from "./theme.js";
import { startToasts } from "./toasts.js";

startTheme();
startForms();
startDialogs();
startJump();
startKeyboard();
startToasts();
startLive();
