//! Reading a value back where it is sent from, the first time that its shape is met.
//!
//! A reader that fails, or reads something else, would do so far away, in another process. The
//! compact bytes count as good if the value read from them writes the same bytes again, in whatever
//! order a hash map has. Where it does not, the type may be one that writes less than it holds; then
//! the describing format is asked, and both must have read the same.

use super::notes::Notes;
use super::{COMPACT, DESCRIBING, compact, describing, travel};
use crate::Error;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Decides on a value whose compact bytes, `bytes[start..]`, are not known to be good.
#[cold]
#[inline(never)]
pub(super) fn settle<R, T>(
    value: &T,
    written: bool,
    notes: &Notes,
    bytes: &mut Vec<u8>,
    start: usize,
) -> Result<u8, Error>
where
    R: Serialize + DeserializeOwned,
    T: Serialize + ?Sized,
{
    let mut why = notes.complaint();
    if written && why.is_none() {
        match comes_back::<R, T>(value, &bytes[start..]) {
            Ok(()) => {
                notes.learn();
                return Ok(COMPACT);
            }
            Err(said) => why = Some(said),
        }
    }
    describe_and_read::<R, T>(value, why, bytes, start)
}

/// As `bytes[start..]`, the value in the describing format, for a type that is known to need it.
pub(super) fn describe_checked<R, T>(
    value: &T,
    bytes: &mut Vec<u8>,
    start: usize,
) -> Result<u8, Error>
where
    R: Serialize + DeserializeOwned,
    T: Serialize + ?Sized,
{
    let refused = match describe_and_read::<R, T>(value, None, bytes, start) {
        Err(error) => error,
        done => return done,
    };
    // Other values of the type may need it, while this one needs the compact format.
    travel::start_over();
    let notes = Notes::new(COMPACT);
    let written = compact::write(value, &notes, bytes).is_ok() && notes.complaint().is_none();
    if written && comes_back::<R, T>(value, &bytes[start..]).is_ok() {
        return Ok(COMPACT);
    }
    bytes.truncate(start);
    Err(refused)
}

fn describe_and_read<R, T>(
    value: &T,
    why: Option<String>,
    bytes: &mut Vec<u8>,
    start: usize,
) -> Result<u8, Error>
where
    R: Serialize + DeserializeOwned,
    T: Serialize + ?Sized,
{
    let notes = write_described(value, why, bytes, start)?;
    if notes.has_fresh() {
        if let Err(error) = travel::rehearse_inward(|| describing::read::<R>(&bytes[start..])) {
            bytes.truncate(start);
            let reason = format!("it does not decode: {}", reason(error));
            return Err(Error::encode::<T>(reason));
        }
        notes.learn();
    }
    Ok(DESCRIBING)
}

fn write_described<T: Serialize + ?Sized>(
    value: &T,
    why: Option<String>,
    bytes: &mut Vec<u8>,
    start: usize,
) -> Result<Notes, Error> {
    bytes.truncate(start);
    travel::start_over();
    let notes = Notes::new(DESCRIBING);
    if describing::write(value, &notes, bytes).is_ok() {
        return Ok(notes);
    }
    bytes.truncate(start);
    Err(refusal::<T>(why, &notes))
}

/// What to do about a value that no format carries.
#[cold]
fn refusal<T: ?Sized>(why: Option<String>, notes: &Notes) -> Error {
    let mut reason = notes.complaint().unwrap_or_default();
    if notes.lost().is_some() {
        reason.push_str("; use an enum instead of the option");
        if let Some(why) = why {
            reason.push_str(", or let serde write the type without attributes (");
            reason.push_str(&why);
            reason.push(')');
        }
    }
    Error::encode::<T>(reason)
}

/// Whether the compact bytes give the value back; why not.
fn comes_back<R, T>(value: &T, bytes: &[u8]) -> Result<(), String>
where
    R: Serialize + DeserializeOwned,
    T: Serialize + ?Sized,
{
    let copy: R = travel::rehearse_inward(|| compact::read(bytes)).map_err(reason)?;
    let again = rewritten(&copy)?;
    if histogram(&again) == histogram(bytes) {
        return Ok(());
    }
    let differs = || "it does not come back as it was sent".to_string();
    let mut described = Vec::new();
    let notes = Notes::new(DESCRIBING);
    let copy: R = travel::rehearse_outward(|| describing::write(value, &notes, &mut described))
        .map_err(|_| differs())
        .and_then(|()| travel::rehearse_inward(|| describing::read(&described)).map_err(reason))?;
    if histogram(&rewritten(&copy)?) == histogram(&again) { Ok(()) } else { Err(differs()) }
}

fn rewritten<T: Serialize>(value: &T) -> Result<Vec<u8>, String> {
    let (notes, mut bytes) = (Notes::new(COMPACT), Vec::new());
    match travel::rehearse_outward(|| compact::write(value, &notes, &mut bytes)) {
        Ok(()) => Ok(bytes),
        Err(_) => Err(notes.complaint().unwrap_or_default()),
    }
}

/// How often each byte occurs: the same for every order in which a set is written.
fn histogram(bytes: &[u8]) -> [usize; 256] {
    let mut counts = [0; 256];
    for byte in bytes {
        counts[usize::from(*byte)] += 1;
    }
    counts
}

fn reason(error: Error) -> String {
    match error {
        Error::Decode { reason, .. } => reason,
        other => other.to_string(),
    }
}
