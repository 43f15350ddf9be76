//! A process is killed at each named step of the protocols, and the others go on.
//!
//! | file | kills at the steps of |
//! |---|---|
//! | `scene` | nothing: a victim, a witness, and what must hold at the end |
//! | `queue` | putting and getting, chunks, hand-over, wakes |
//! | `memory` | the arena, the ledger, burials, values |
//! | `late` | nothing: a process is held up at a step until the others are further |
//! | `pool` | a worker of a pool |
#![forbid(unsafe_code)]

mod late;
mod memory;
mod pool;
mod queue;
mod scene;
