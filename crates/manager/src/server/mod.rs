//! The server: one thread that serves every connection.
//!
//! | room | what it holds |
//! |---|---|
//! | [`Server`], [`Builder`] | the door: what is served, to whom, where |
//! | [`Limits`], [`Status`], [`Counters`], [`Stopper`] | what clients may take; how it is doing; its end |
//! | [`guest`] | a program beside it that hosts what opaque bytes cannot be |
//! | **the loop** | |
//! | `engine` | waits, and gives each connection its turn |
//! | `serve`, `handshake`, `control`, `calls`, `errands` | the turn: bytes, the key, requests without an object, calls, the guest's |
//! | `sharing` | clients of this host in the server's memory |
//! | `settle` | what follows from it, for others too |
//! | `reply` | answers as bytes |
//! | **what there is** | |
//! | `slots`, `connection`, `output` | the connections; one; what is on its way to it |
//! | `objects`, `ident` | the objects and their names |
//! | `references`, `processes` | who keeps them; the processes among these |
//! | `deadlines`, `waker` | instants at which something is to be done; waking the loop |

mod builder;
mod calls;
mod connection;
mod control;
mod deadlines;
mod door;
mod engine;
mod errands;
pub mod guest;
mod handshake;
mod ident;
mod limits;
mod objects;
mod output;
mod processes;
mod references;
mod reply;
mod serve;
mod settle;
mod sharing;
mod slots;
mod status;
mod waker;

pub use builder::{BindError, Builder};
pub use door::Server;
pub use guest::Errands;
pub use limits::Limits;
pub use status::{Counters, Status};
pub use waker::Stopper;
