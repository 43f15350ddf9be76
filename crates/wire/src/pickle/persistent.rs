//! Objects that the other side looks up and does not make.

use serde::{Deserialize, Serialize};

/// As serde knows it.
pub(super) const NAME: &str = "procession_wire::pickle::Persistent";

/// A persistent id: Python's `Unpickler.persistent_load` gets what is in it, and gives the object that
/// it stands for; what `Pickler.persistent_id` returned is read as it. Other formats see a newtype
/// struct.
///
/// # Examples
/// ```
/// use procession_wire::pickle::{self, Persistent};
///
/// let pickle = pickle::to_vec(&["lock", "queue"].map(Persistent)).unwrap();
/// assert_eq!(pickle, b"\x80\x04\x8c\x04lockQ\x8c\x05queueQ\x86.");
/// let [_, Persistent(name)]: [Persistent<&str>; 2] = pickle::from_slice(&pickle).unwrap();
/// assert_eq!(name, "queue");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename = "procession_wire::pickle::Persistent")]
pub struct Persistent<T>(pub T);
