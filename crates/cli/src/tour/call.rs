//! `subprocess.call(['nslookup', 'www.python.org'])`. The tutorial's `04_subprocess_call.py`.

use super::nslookup::{PATIENCE, with_either};
use crate::say;
use procession::{Error, subprocess};

pub(super) fn run() -> Result<(), Error> {
    let wanted = ["nslookup", "www.python.org"];
    let instead = ["getent", "hosts", "localhost"];
    let r = with_either(&wanted, &instead, |command| {
        // The child's output is this program's: it comes before the exit code.
        subprocess::call(command.timeout(PATIENCE))
    });
    match r {
        Ok(status) => say!("Exit code: {}", status.exitcode()),
        Err(error) if error.is_timeout() => say!("({error})"),
        Err(error) => return Err(error.into()),
    }
    Ok(())
}
