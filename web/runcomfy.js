/** @import { HostWindow } from "../types/host.js" */

import { app } from "../../scripts/app.js";
import { api } from "../../scripts/api.js";
import { createExtension } from "./page/extension.js";
import { translator } from "./base/messages.js";
import { createRoutes } from "./base/routes.js";

const locale = app.extensionManager?.setting?.get("Comfy.Locale") ?? app.ui?.settings?.getSettingValue?.("Comfy.Locale");
const texts = await createRoutes(api).messages(String(locale ?? ""));
const style = new URL("./runcomfy.css", import.meta.url).href;

app.registerExtension(createExtension({ app, api, window: /** @type {HostWindow} */ (window), t: translator(texts.messages, texts.locale), style }));
