//! Figures with their units, short enough for a table.

/// In what a row is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Pieces a second: more is better.
    PerSecond,
    /// Seconds a piece: less is better.
    Seconds,
    /// Bytes: less is better.
    Bytes,
}

impl Unit {
    /// Whether `ours` is as good as `wanted`.
    pub(crate) fn reached(self, ours: f64, wanted: f64) -> bool {
        match self {
            Self::PerSecond => ours >= wanted,
            Self::Seconds | Self::Bytes => ours <= wanted,
        }
    }

    /// The word between "our figure is to be" and the figure wanted.
    pub(crate) fn direction(self) -> &'static str {
        match self {
            Self::PerSecond => "≥",
            Self::Seconds | Self::Bytes => "≤",
        }
    }

    /// A figure in this unit, three digits.
    pub(crate) fn show(self, value: f64) -> String {
        let steps: &[(f64, &str)] = match self {
            Self::PerSecond => &[(1e6, "M/s"), (1e3, "k/s"), (0.0, "/s")],
            Self::Seconds => &[(1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (0.0, "ns")],
            Self::Bytes => &[(1048576.0, "MiB"), (1024.0, "KiB"), (0.0, "B")],
        };
        let smallest = if self == Self::Seconds { 1e-9 } else { 1.0 };
        let (step, name) = steps.iter().find(|(step, _)| value >= *step).unwrap_or(&(0.0, "?"));
        let scale = if *step == 0.0 { smallest } else { *step };
        format!("{} {name}", digits(value / scale))
    }
}

/// Three digits that count.
pub(crate) fn digits(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        small if small < 10.0 => format!("{value:.2}"),
        middle if middle < 100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_has_three_digits_and_the_unit_that_fits() {
        assert_eq!(Unit::PerSecond.show(37_120_000.0), "37.1 M/s");
        assert_eq!(Unit::PerSecond.show(912.0), "912 /s");
        assert_eq!(Unit::Seconds.show(7.25e-9), "7.25 ns");
        assert_eq!(Unit::Seconds.show(0.0361), "36.1 ms");
        assert_eq!(Unit::Bytes.show(800.0 * 1024.0), "800 KiB");
        assert_eq!(Unit::Seconds.show(0.0), "0 ns");
    }
}
