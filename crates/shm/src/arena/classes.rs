//! Size classes: four to each doubling, so a block wastes at most a fifth.
//!
//! A block keeps its class for life: free blocks are used again for the same class and never
//! joined. Address space is reserved in plenty, and memory that is free for long goes back to the
//! system, so fragmentation costs addresses and nothing else.
//!
//! What the system gives and takes are pages, of 4 KiB, and on aarch64 of 16 or 64 KiB as well. So a large block
//! is whole pages of the machine it lies on: one that shared a page with its neighbour could not be given back.

/// The smallest block, and the alignment of all: one cache line.
pub(crate) const LINE: u64 = 64;
/// Blocks below this are cut from slabs; from here on they are whole pages of their own.
pub(crate) const LARGE: u64 = 16 << 10;
/// The longest block that is cut from a slab.
pub(crate) const LARGEST_SMALL: u64 = LARGE / 8 * 7;
/// What small blocks are cut from; the largest page that Linux has is as large.
pub(crate) const SLAB: u64 = 64 << 10;
/// How many classes there are: up to 2^46 bytes.
pub(crate) const CLASSES: usize = 168;

/// The class whose blocks hold `len` bytes, and how many bytes they hold, on a machine with such pages.
pub(crate) fn class_of(len: u64, page: u64) -> Option<(usize, u64)> {
    let whole = if len > LARGEST_SMALL { len.checked_next_multiple_of(page)? } else { len };
    let lines = whole.max(1).div_ceil(LINE);
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

    const PAGES: [u64; 3] = [4 << 10, 16 << 10, 64 << 10];

    fn lengths() -> impl Iterator<Item = u64> {
        (1..100_000).chain((1..4000).map(|n| n * 65_537))
    }

    #[test]
    fn every_length_fits_its_class_and_classes_grow() {
        for page in PAGES {
            let mut last = (0, 0);
            for len in lengths() {
                let (class, capacity) = class_of(len, page).unwrap();
                assert!(capacity >= len, "{len} in {capacity}");
                assert!(capacity % LINE == 0);
                if len > last.1 {
                    assert!(class > last.0 || last.1 == 0, "{len}: class {class} after {}", last.0);
                }
                assert_eq!(class_of(capacity, page), Some((class, capacity)));
                last = if capacity > last.1 { (class, capacity) } else { last };
            }
        }
    }

    #[test]
    fn a_block_wastes_a_fifth_at_most_and_a_page() {
        for page in PAGES {
            for len in lengths() {
                let (_, capacity) = class_of(len, page).unwrap();
                let unit = if capacity < LARGE { LINE } else { page.max(4 << 10) };
                assert!(capacity <= (len + unit) * 5 / 4 + unit, "{len} wastes in {capacity}");
            }
        }
    }

    #[test]
    fn large_blocks_are_whole_pages_of_any_size() {
        for page in PAGES {
            for len in lengths() {
                let (_, capacity) = class_of(len, page).unwrap();
                let is_whole = capacity % page == 0;
                assert!(capacity < LARGE || is_whole, "{capacity}, with pages of {page}");
            }
        }
    }

    #[test]
    fn what_is_longer_than_any_address_has_no_class() {
        assert_eq!(class_of(u64::MAX / 2, 4 << 10), None);
        assert_eq!(class_of(u64::MAX, 64 << 10), None);
    }
}
