package dev.rote.bench;

import java.util.OptionalDouble;

/// What else is known of a timed search for nearest neighbours.
///
/// @param floorMs milliseconds by the roofline; empty where no ceiling is known
/// @param certified share of queries whose best candidates settled them at once; empty where no log says it
record SearchResult(OptionalDouble floorMs, OptionalDouble certified) {}
