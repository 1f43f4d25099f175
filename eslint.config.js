import js from "@eslint/js";
import globals from "globals";

/** Refuses imports from folders that build on this one: base <- node <- sidebar <- models <- page. */
function onlyBelow(folder, ...above) {
  const patterns = above.map((name) => ({ group: [`**/${name}/*`], message: `${folder}/ must not import ${name}/` }));
  return { files: [`web/${folder}/**`], rules: { "no-restricted-imports": ["error", { patterns }] } };
}

export default [
  { ignores: ["**/.venv/**"] },
  js.configs.recommended,
  {
    rules: {
      "array-callback-return": "error",
      "default-case-last": "error",
      // `== null` means null or undefined.
      eqeqeq: ["error", "always", { null: "ignore" }],
      "no-else-return": "error",
      "no-implicit-coercion": "error",
      "no-param-reassign": "error",
      "no-shadow": "error",
      "no-unused-private-class-members": "error",
      "no-unused-vars": ["error", { args: "all", argsIgnorePattern: "^_" }],
      "no-useless-return": "error",
      "no-var": "error",
      "object-shorthand": "error",
      "prefer-const": "error",
      "prefer-template": "error",
    },
  },
  {
    files: ["web/**"],
    // Modules get the window and the document handed in, so that they load and are tested without a page.
    languageOptions: { globals: { clearTimeout: false, setTimeout: false, URL: false, URLSearchParams: false } },
    rules: {
      "no-console": "error",
      "no-restricted-properties": [
        "error",
        ...["innerHTML", "outerHTML", "insertAdjacentHTML"].map((property) => ({
          property,
          message: "Texts go in as text: use web/base/elements.js.",
        })),
      ],
    },
  },
  { files: ["web/runcomfy.js"], languageOptions: { globals: { window: false } } },
  { files: ["tests/web/**", "*.js"], languageOptions: { globals: globals.node } },
  onlyBelow("base", "node", "sidebar", "models", "page"),
  onlyBelow("node", "sidebar", "models", "page"),
  onlyBelow("sidebar", "models", "page"),
  onlyBelow("models", "page"),
];
