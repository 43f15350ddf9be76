//! Our client, against each kind of manager that there is here: ours, and those of every CPython that is found.
//!
//! | room | what it says |
//! |---|---|
//! | `servers` | the managers, each started anew for each test |
//! | `queues` | queues, item by item and many at once |
//! | `objects` | the other objects of a `SyncManager` |
//! | `payloads` | what has no meaning in Rust goes through unchanged; proxies in messages |
//! | `reaches` | Unix sockets and TLS |
//! | `trouble` | keys that differ, managers that go and come back, calls that fail |

mod objects;
mod payloads;
mod queues;
mod reaches;
mod servers;
mod trouble;
