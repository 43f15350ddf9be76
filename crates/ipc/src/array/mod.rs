//! Many values of one type that processes share, in one dimension or more.
//!
//! | room | holds |
//! |---|---|
//! | `array` | [`Array`]: making, sending, single elements |
//! | `guard` | [`ArrayGuard`]: all elements at once, under the lock, without copying |
//! | `shape` | how long it is in each dimension |

#[expect(clippy::module_inception, reason = "the room is named for what it holds")]
mod array;
mod guard;
mod shape;

pub use array::Array;
pub use guard::ArrayGuard;
