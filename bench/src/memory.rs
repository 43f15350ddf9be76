//! Rows: what a worker weighs that has nothing to do.

use crate::figure::Unit;
use crate::row::{Effort, Outcome, Peer, Row, Target};
use crate::sample::Sample;
use std::error::Error;
use std::fs;

const MIB: f64 = 1048576.0;
/// Why the target is missed on a machine with nothing else to do.
const CROWD: &str = "the pages of the program and of the C library count by how many others have them, and \
    few had when this ran: the same worker weighs 1.03 MiB beside nobody and 898 KiB beside sixty \
    processes of that library";

/// The rows of this room.
pub(crate) fn rows() -> Vec<Row> {
    vec![Row {
        work: "memory of an idle worker, PSS",
        unit: Unit::Bytes,
        ours: Some(our_worker),
        limit: Some(Target { value: MIB, why: CROWD }),
        peers: vec![Peer::new("procspawn 1.0.2, a worker of a Pool", procspawn_worker)],
    }]
}

fn our_worker(_: Effort) -> Outcome {
    let pool = procession::Pool::new(1)?;
    let pid = pool.apply(|()| std::process::id(), ())?;
    Ok(Sample::figure(proportional_set_size(pid)?))
}

fn procspawn_worker(_: Effort) -> Outcome {
    let pool = procspawn::Pool::new(1)?;
    let pid = pool.spawn((), |()| std::process::id()).join()?;
    let bytes = proportional_set_size(pid)?;
    pool.shutdown();
    Ok(Sample::figure(bytes))
}

/// The memory of a process in bytes, with pages that several share divided among them.
pub(crate) fn proportional_set_size(pid: u32) -> Result<f64, Box<dyn Error>> {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:"));
    let kib =
        line.and_then(|line| line.trim().strip_suffix("kB")).ok_or("no Pss in smaps_rollup")?;
    Ok(kib.trim().parse::<f64>()? * 1024.0)
}
