package dev.rote.tools.report;

import java.util.Objects;

/// How well curves of all runs of one setting fall on one another when their steps are divided by a variable.
///
/// @param what the curves and their levels, `f_mem at 1 %, 10 %`
/// @param where what is held fixed
/// @param variable what the steps are divided by: `n`, `1/W` or `n/W`
/// @param raw factor within which the crossing times of one level agree as they are
/// @param collapsed the same after the division
/// @param exponent the power of the variable that collapses best
/// @param low lower end of its 95 % interval, runs drawn again
/// @param high upper end
/// @param crossings how many crossing times entered
public record CollapseTest(
        String what,
        String where,
        String variable,
        double raw,
        double collapsed,
        double exponent,
        double low,
        double high,
        int crossings) {
    public CollapseTest {
        Objects.requireNonNull(what, "what");
        Objects.requireNonNull(where, "where");
        Objects.requireNonNull(variable, "variable");
    }
}
