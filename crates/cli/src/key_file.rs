//! The file with the key that a manager and its clients share.

use crate::print;
use std::error::Error;
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// The key in a file: its bytes, without the newline at the end. Says so if others may read it.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Box<dyn Error>> {
    let cannot = |error| format!("cannot read the key file {}: {error}", path.display());
    let mut file = File::open(path).map_err(cannot)?;
    let mode = file.metadata().map_err(cannot)?.permissions().mode();
    if mode & 0o077 != 0 {
        print::complain(&format_args!(
            "others may read the key file {}: chmod 600 {0}",
            path.display()
        ));
    }
    let mut key = Vec::new();
    file.read_to_end(&mut key).map_err(cannot)?;
    if key.ends_with(b"\n") {
        key.pop();
    }
    if key.is_empty() {
        return Err(format!(
            "the key file {} is empty: write a secret into it, such as 32 bytes of /dev/urandom in base64",
            path.display()
        )
        .into());
    }
    Ok(key)
}

/// The text of a file that an option names.
pub(crate) fn text(path: &Path) -> Result<Vec<u8>, Box<dyn Error>> {
    fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()).into())
}
