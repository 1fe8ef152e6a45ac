package dev.rote.tools.window;

/// A forecast from small recorded runs, with or without the beginning of the large one, beside what that did.
///
/// @param large the run that was forecast
/// @param forecast what was said; it knows tau_mem
/// @param truth what the large run did
record PredictionTrial(RecordedRun large, Forecast forecast, RecordedRun.Truth truth) {
    /// Training images of the large run.
    int n() {
        return forecast.n();
    }

    /// Share of the updates up to twice the large run's tau_mem that the small runs and its beginning would have taken.
    double cost() {
        int begun = forecast.beginning().map(Forecast.Beginning::step).orElse(0);
        return (forecast.updates() + begun) / (2 * truth.tauMem());
    }
}
