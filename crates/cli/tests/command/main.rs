//! The built command, as a user runs it.
//!
//! | room | what it says |
//! |---|---|
//! | `ran` | running it, reading it, and that nothing of it is left |
//! | `tour` | each chapter prints what the tutorial prints |
//! | `programs` | the chapters that run another program, with and without `nslookup` |
//! | `reader` | a reader that goes away |
//! | `serve`, `served` | a manager for any machine, and one while a test uses it |
//! | `seed` | the tutorial's master and workers, ours and stock's, with each other |
//! | `apart`, `hosts` | a manager and its clients on hosts of their own, as network namespaces |
//! | `ps`, `doctor` | the two looks at the host |
//! | `still` | a run that stands still while it is looked at |

mod apart;
mod doctor;
mod hosts;
mod programs;
mod ps;
mod ran;
mod reader;
mod seed;
mod serve;
mod served;
mod still;
mod tour;
