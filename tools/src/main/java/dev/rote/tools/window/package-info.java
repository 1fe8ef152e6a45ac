/// When to stop before memorization: `rote predict-window` forecasts the window from small runs, `rote stopping` judges
/// rules for stopping by recorded runs. Read [dev.rote.tools.window.Pilot] first, then
/// [dev.rote.tools.window.Forecast]. Imports `dev.rote.config`, `dev.rote.measure`, `dev.rote.metrics` and
/// `dev.rote.tools.study`.
package dev.rote.tools.window;
