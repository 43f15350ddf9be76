//! Python's indices and slices.

use super::call::{Fault, plain};
use super::raise;
use procession_wire::message::{Argument, Exception};
use procession_wire::value::Value;

/// What stands between the brackets.
#[derive(Debug)]
pub(crate) enum Index {
    At(i128),
    Slice(Slice),
}

/// A slice as it was written: each part may be missing.
#[derive(Debug)]
pub(crate) struct Slice {
    start: Option<i128>,
    stop: Option<i128>,
    step: Option<i128>,
}

/// The places that a slice means in a sequence of some length.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Places {
    pub(crate) start: usize,
    pub(crate) step: i128,
    pub(crate) count: usize,
}

impl Index {
    /// Of a sequence that Python calls `what`.
    pub(crate) fn of(argument: &Argument<'_>, what: &str) -> Result<Self, Fault> {
        let value = plain(argument, "an index")?;
        if let Value::Slice(parts) = &value {
            let part = |value: &Value| match value {
                Value::None => Ok(None),
                value => value.as_int().map(Some).ok_or_else(|| {
                    raise::type_error(
                        "slice indices must be integers or None or have an __index__ method",
                    )
                }),
            };
            let [start, stop, step] = &**parts;
            return Ok(Self::Slice(Slice {
                start: part(start)?,
                stop: part(stop)?,
                step: part(step)?,
            }));
        }
        value.as_int().map(Self::At).ok_or_else(|| {
            let name = value.type_name();
            raise::type_error(format!("{what} indices must be integers or slices, not {name}"))
                .into()
        })
    }
}

/// The place that an index means, from the end if it is negative.
pub(crate) fn place(index: i128, length: usize, says: &str) -> Result<usize, Exception> {
    let from_end = if index < 0 { index + length as i128 } else { index };
    match usize::try_from(from_end) {
        Ok(place) if place < length => Ok(place),
        _ => Err(raise::index_error(says)),
    }
}

/// A bound, as in `insert` and `index`: from the end if negative, and never outside.
pub(crate) fn bound(index: i128, length: usize) -> usize {
    let from_end = if index < 0 { index + length as i128 } else { index };
    usize::try_from(from_end.max(0)).unwrap_or(usize::MAX).min(length)
}

impl Slice {
    pub(crate) fn has_step(&self) -> bool {
        !matches!(self.step, None | Some(1))
    }

    /// As CPython's `PySlice_AdjustIndices`.
    pub(crate) fn places(&self, length: usize) -> Result<Places, Exception> {
        let length = length as i128;
        let step = self.step.unwrap_or(1).clamp(-(i64::MAX as i128), i64::MAX as i128);
        if step == 0 {
            return Err(raise::value_error("slice step cannot be zero"));
        }
        let (least, most) = if step < 0 { (-1, length - 1) } else { (0, length) };
        let adjust = |index: Option<i128>, missing: i128| {
            index.map_or(missing, |index| {
                if index < 0 { (index + length).max(least) } else { index.min(most) }
            })
        };
        let start = adjust(self.start, if step < 0 { most } else { least });
        let stop = adjust(self.stop, if step < 0 { least } else { most });
        let distance = if step < 0 { start - stop } else { stop - start };
        let count = if distance <= 0 { 0 } else { (distance - 1) / step.abs() + 1 };
        Ok(Places {
            start: usize::try_from(start).unwrap_or(0),
            step,
            count: usize::try_from(count).unwrap_or(0),
        })
    }
}

impl Places {
    pub(crate) fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.count)
            .filter_map(|turn| usize::try_from(self.start as i128 + self.step * turn as i128).ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(start: Option<i128>, stop: Option<i128>, step: Option<i128>) -> Vec<usize> {
        Slice { start, stop, step }.places(5).expect("a step").iter().collect()
    }

    #[test]
    fn slices_mean_what_they_mean_in_python() {
        assert_eq!(places(None, None, None), [0, 1, 2, 3, 4]);
        assert_eq!(places(Some(1), Some(-1), None), [1, 2, 3]);
        assert_eq!(places(None, None, Some(-1)), [4, 3, 2, 1, 0]);
        assert_eq!(places(Some(-2), None, Some(-2)), [3, 1]);
        assert_eq!(places(Some(10), None, Some(-3)), [4, 1]);
        assert_eq!(places(Some(3), Some(1), None), [0; 0]);
        assert_eq!(places(Some(-100), Some(i128::MAX), Some(i128::MAX)), [0]);
        assert!(Slice { start: None, stop: None, step: Some(0) }.places(5).is_err());
    }

    #[test]
    fn an_index_counts_from_the_end_and_never_leaves_the_sequence() {
        assert_eq!(place(-1, 3, "out").ok(), Some(2));
        assert!(place(3, 3, "out").is_err() && place(-4, 3, "out").is_err());
        assert_eq!((bound(-10, 3), bound(10, 3), bound(-1, 3)), (0, 3, 2));
    }
}
