import { defineConfig } from "vite";

// One script and one style sheet, without any request of their own: the C++ build embeds both in its reports.
export default defineConfig({
  build: {
    outDir: process.env.HEADROOM_UI_OUT ?? "dist",
    emptyOutDir: true,
    target: ["chrome100", "firefox100", "safari15"],
    cssCodeSplit: false,
    lib: {
      entry: "src/report/main.ts",
      formats: ["iife"],
      name: "headroomReport",
      fileName: () => "report.js",
      cssFileName: "report",
    },
  },
  test: { include: ["src/**/*.test.ts"] },
} as Parameters<typeof defineConfig>[0]);
