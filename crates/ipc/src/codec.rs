//! How values become bytes.

use crate::Error;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The format of postcard 1.
const POSTCARD: u8 = 0;
/// No value, only bytes.
pub(crate) const BYTES: u8 = 2;

/// Appends the encoded value to `bytes`; the format it is in.
pub(crate) fn encode<T: Serialize + ?Sized>(value: &T, bytes: &mut Vec<u8>) -> Result<u8, Error> {
    let error = |error: postcard::Error| Error::encode::<T>(error.to_string());
    // `to_extend` wants the vector by value.
    let buffer = std::mem::take(bytes);
    *bytes = postcard::to_extend(value, buffer).map_err(error)?;
    Ok(POSTCARD)
}

/// The value in `bytes`.
pub(crate) fn decode<T: DeserializeOwned>(format: u8, bytes: &[u8]) -> Result<T, Error> {
    match format {
        POSTCARD => {
            let (value, rest) =
                postcard::take_from_bytes(bytes).map_err(|error| Error::decode::<T>(error.to_string()))?;
            if rest.is_empty() {
                Ok(value)
            } else {
                Err(Error::decode::<T>(format!("{} bytes are left over", rest.len())))
            }
        }
        BYTES => Err(Error::decode::<T>("the message is bytes; take it with get_bytes".into())),
        other => Err(Error::decode::<T>(format!("format {other} is not known to this build"))),
    }
}
