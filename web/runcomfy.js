/** @import { HostWindow } from "../types/host.js" */

import { app } from "../../scripts/app.js";
import { api } from "../../scripts/api.js";
import { createExtension } from "./page/extension.js";
import { loadMessages } from "./base/messages.js";

const locale = app.extensionManager?.setting?.get("Comfy.Locale") ?? app.ui?.settings?.getSettingValue?.("Comfy.Locale");
const t = await loadMessages(String(locale ?? ""), (name) => import(`./messages/${name}.js`));
const style = new URL("./runcomfy.css", import.meta.url).href;

app.registerExtension(createExtension({ app, api, window: /** @type {HostWindow} */ (window), t, style }));
