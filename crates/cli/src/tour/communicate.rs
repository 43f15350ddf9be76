//! `Popen` with three pipes, and `communicate`. The tutorial's `05_subprocess_communicate.py`.

use super::nslookup::{PATIENCE, with_either};
use crate::say;
use procession::Error;
use procession::subprocess::Redirect;

pub(super) fn run() -> Result<(), Error> {
    let (p, done) = with_either(&["nslookup"], &["sort"], |command| {
        let p = command.stdin(Redirect::Pipe).capture_output().spawn()?;
        let done = p.communicate_timeout("set q=mx\npython.org\nexit\n", PATIENCE);
        Ok((p, done))
    })?;
    let done = match done {
        Err(error) if error.is_timeout() => {
            say!("({error})");
            p.kill()?;
            p.communicate([])?
        }
        done => done?,
    };
    say!("{}", String::from_utf8_lossy(&done.stdout));
    say!("Exit code: {}", done.returncode());
    Ok(())
}
