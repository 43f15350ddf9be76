//! Size classes: four to each doubling, so a block wastes at most a fifth.
//!
//! A block keeps its class for life: free blocks are used again for the same class and never
//! joined. Address space is reserved in plenty, and memory that is free for long goes back to the
//! system, so fragmentation costs addresses and nothing else.

/// The smallest block, and the alignment of all: one cache line.
pub(crate) const LINE: u64 = 64;
/// Blocks below this are cut from slabs; from here on they are whole pages of their own.
pub(crate) const LARGE: u64 = 16 << 10;
/// What small blocks are cut from.
pub(crate) const SLAB: u64 = 64 << 10;
/// How many classes there are: up to 2^46 bytes.
pub(crate) const CLASSES: usize = 168;

/// The class whose blocks hold `len` bytes, and how many bytes they hold.
pub(crate) fn class_of(len: u64) -> Option<(usize, u64)> {
    let lines = len.max(1).div_ceil(LINE);
    if lines <= 4 {
        return Some((lines as usize - 1, lines * LINE));
    }
    let doubling = u64::from((lines - 1).ilog2());
    let step = 1_u64 << (doubling - 2);
    let quarter = (lines - 1 - (1 << doubling)) / step;
    let class = (4 + (doubling - 2) * 4 + quarter) as usize;
    let capacity = ((1 << doubling) + (quarter + 1) * step) * LINE;
    (class < CLASSES).then_some((class, capacity))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_fits_its_class_and_classes_grow() {
        let mut last = (0, 0);
        for len in (1..100_000).chain((1..4000).map(|n| n * 65_537)) {
            let (class, capacity) = class_of(len).unwrap();
            assert!(capacity >= len, "{len} in {capacity}");
            assert!(capacity <= (len + LINE) * 5 / 4 + LINE, "{len} wastes in {capacity}");
            assert!(capacity % LINE == 0);
            assert!(capacity < LARGE || capacity % 4096 == 0, "{capacity} is not whole pages");
            if len > last.1 {
                assert!(class > last.0 || last.1 == 0, "{len}: class {class} after {}", last.0);
            }
            assert_eq!(class_of(capacity), Some((class, capacity)));
            last = if capacity > last.1 { (class, capacity) } else { last };
        }
        assert_eq!(class_of(u64::MAX / 2), None);
    }
}
