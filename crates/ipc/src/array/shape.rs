//! How long an array is in each dimension.

use crate::Error;
use procession_shm::Region;
use procession_sys::atomic::{AtomicU64, Ordering::Relaxed};

/// The most dimensions an array can have.
const MOST: usize = 8;

procession_shm::shared_struct! {
    /// The shape in shared memory; written by the maker, once.
    pub(super) struct ShapeWords: 72 {
        dimensions: AtomicU64,
        extents: [AtomicU64; MOST],
    }
}

/// How long an array is in each dimension, the slowest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    extents: Box<[usize]>,
    len: usize,
}

impl Shape {
    pub(super) fn new(extents: &[usize]) -> Result<Self, Error> {
        let bad = |reason| Error::BadShape { shape: extents.to_vec(), reason };
        if extents.is_empty() || extents.len() > MOST {
            return Err(bad("an array has 1 to 8 dimensions"));
        }
        let len = extents.iter().try_fold(1_usize, |len, extent| len.checked_mul(*extent));
        let len = len.ok_or_else(|| bad("so many elements fit no memory"))?;
        Ok(Self { extents: extents.into(), len })
    }

    pub(super) fn write(&self, region: Region, at: usize) {
        let words = region.object::<ShapeWords>(at);
        for (word, extent) in words.extents.iter().zip(&self.extents) {
            word.store(*extent as u64, Relaxed);
        }
        words.dimensions.store(self.extents.len() as u64, Relaxed);
    }

    /// Reads what another process wrote; `room` is how many elements its block can hold.
    pub(super) fn read(region: Region, at: usize, room: usize) -> Result<Self, Error> {
        let words = region.object::<ShapeWords>(at);
        let dimensions = (words.dimensions.load(Relaxed) as usize).min(MOST);
        let extents: Vec<usize> =
            words.extents[..dimensions].iter().map(|word| word.load(Relaxed) as usize).collect();
        let shape = Self::new(&extents)?;
        if shape.len <= room { Ok(shape) } else { Err(Error::Corrupt("an array's shape")) }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn extents(&self) -> &[usize] {
        &self.extents
    }

    /// How many elements one row has: one step of the first dimension.
    pub(super) fn row_len(&self) -> usize {
        self.extents[1..].iter().product()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_knows_its_rows() {
        let shape = Shape::new(&[3, 4, 5]).unwrap();
        assert_eq!((shape.len(), shape.row_len()), (60, 20));
        assert_eq!(Shape::new(&[7]).unwrap().row_len(), 1);
    }

    #[test]
    fn a_shape_that_no_memory_holds_is_refused() {
        assert!(Shape::new(&[]).is_err());
        assert!(Shape::new(&[1; 9]).is_err());
        assert!(Shape::new(&[usize::MAX, 2]).is_err());
        assert_eq!(Shape::new(&[usize::MAX, 0]).map(|shape| shape.len()).unwrap(), 0);
    }
}
