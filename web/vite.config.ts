import { defineConfig } from "vite";

// Fixed names: the page is committed, and a rebuild should change only what has changed.
export default defineConfig({
  base: "./",
  build: {
    outDir: "../src/saccade/serve/page",
    emptyOutDir: true,
    target: "es2022",
    modulePreload: false,
    rollupOptions: {
      output: {
        entryFileNames: "assets/app.js",
        chunkFileNames: "assets/[name].js",
        assetFileNames: "assets/[name][extname]",
      },
    },
  },
  worker: {
    format: "es",
    rollupOptions: { output: { entryFileNames: "assets/painter.js" } },
  },
});
