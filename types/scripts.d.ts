/** The two modules of ComfyUI that the pack imports. */

declare module "*/scripts/app.js" {
  export const app: import("./host.js").App;
}

declare module "*/scripts/api.js" {
  export const api: import("./host.js").Api;
}
