//! A client that is nothing but bytes, so that it can do what no good client does.

use crate::running::KEY;
use procession_manager::transport::{Address, Stream, TlsClient};
use procession_wire::auth::{Handshake, NONCE, Policy, Step};
use procession_wire::frame;
use procession_wire::message::{Call, Reply, Scanner};
use procession_wire::value::Value;
use std::io::{self, Read, Write};

/// One connection.
pub(crate) struct Raw(pub(crate) Stream);

/// An answer, as far as these tests tell them apart.
#[derive(Debug, PartialEq)]
pub(crate) enum Said {
    Returned(Value),
    /// The last line of what Python would show.
    Raised(String),
    Proxy(String, Vec<String>),
    Traceback(String),
    Unserializable(String),
}

impl Said {
    pub(crate) fn value(self) -> Value {
        match self {
            Self::Returned(value) => value,
            other => panic!("{other:?}"),
        }
    }
}

/// A request as bytes, without a frame.
pub(crate) fn request(ident: Option<&str>, method: &str, args: &[Value]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut call = Call::new(&mut bytes, ident, method);
    for arg in args {
        call = call.arg(arg);
    }
    call.end();
    bytes
}

impl Raw {
    /// A socket, and nothing said.
    pub(crate) fn silent(address: &Address) -> Self {
        Self(Stream::connect(address, None, None).unwrap())
    }

    /// Somebody who knows the key.
    pub(crate) fn known(address: &Address) -> Self {
        Self::silent(address).shake_hands(KEY).unwrap()
    }

    /// The same under TLS.
    pub(crate) fn secret(address: &Address, tls: &TlsClient) -> io::Result<Self> {
        Self(Stream::connect(address, Some(tls), None)?).shake_hands(KEY)
    }

    /// A serving connection, as stock's clients open it.
    pub(crate) fn stock(address: &Address) -> Self {
        let mut raw = Self::known(address);
        let served = raw.ask(None, "accept_connection", &["test".into()]);
        assert_eq!(served, Said::Returned(Value::None));
        raw
    }

    /// A serving connection, as our clients open it.
    pub(crate) fn ours(address: &Address) -> Self {
        let mut raw = Self::known(address);
        let Value::Dict(words) = raw.ask(None, "hello", &[1.into(), "test".into()]).value() else {
            panic!("no dict");
        };
        assert_eq!(words[0], ("procession".into(), 1.into()));
        raw
    }

    pub(crate) fn shake_hands(mut self, key: &[u8]) -> io::Result<Self> {
        let mut client = Handshake::client([7; NONCE], Policy::Any);
        loop {
            let message = self.receive()?;
            match client.receive(key, &message).map_err(io::Error::other)? {
                Step::Say(words) => self.send(&words)?,
                Step::LastSay(words) => {
                    self.send(&words)?;
                    return Ok(self);
                }
                Step::Done => return Ok(self),
            }
        }
    }

    pub(crate) fn send(&mut self, message: &[u8]) -> io::Result<()> {
        let mut framed = Vec::new();
        frame::append(&mut framed, |to| to.extend_from_slice(message));
        self.0.write_all(&framed)?;
        self.0.flush()
    }

    pub(crate) fn receive(&mut self) -> io::Result<Vec<u8>> {
        let mut header = [0; 4];
        self.0.read_exact(&mut header)?;
        let mut message = vec![0; u32::from_be_bytes(header) as usize];
        self.0.read_exact(&mut message)?;
        Ok(message)
    }

    /// Reads an answer.
    pub(crate) fn hear(&mut self) -> Said {
        let message = self.receive().unwrap();
        let mut scanner = Scanner::new();
        match scanner.reply(&message).unwrap() {
            Reply::Return(value) => Said::Returned(value.describe().unwrap()),
            Reply::Error(exception) => Said::Raised(exception.to_string()),
            Reply::Proxy { exposed, token } => {
                Said::Proxy(token.id, exposed.into_iter().map(str::to_owned).collect())
            }
            Reply::Traceback(text) => Said::Traceback(text.to_owned()),
            Reply::Unserializable(text) => Said::Unserializable(text.to_owned()),
        }
    }

    pub(crate) fn tell(&mut self, ident: Option<&str>, method: &str, args: &[Value]) {
        self.send(&request(ident, method, args)).unwrap();
    }

    pub(crate) fn ask(&mut self, ident: Option<&str>, method: &str, args: &[Value]) -> Said {
        self.tell(ident, method, args);
        self.hear()
    }

    /// What a method returns.
    pub(crate) fn call(&mut self, ident: &str, method: &str, args: &[Value]) -> Value {
        self.ask(Some(ident), method, args).value()
    }

    /// Creates an object over this connection, which is one of ours, and says its name.
    pub(crate) fn create(&mut self, typeid: &str, args: &[Value]) -> String {
        let mut all = vec![Value::from(typeid)];
        all.extend_from_slice(args);
        match self.ask(None, "create", &all).value() {
            Value::Tuple(parts) => parts[0].as_str().unwrap().to_owned(),
            other => panic!("{other}"),
        }
    }

    /// Whether the server has closed it, after whatever it still had to say.
    pub(crate) fn is_ended(&mut self) -> bool {
        let mut rest = Vec::new();
        let ended = self.0.read_to_end(&mut rest);
        ended.is_ok() || ended.is_err_and(|error| error.kind() == io::ErrorKind::ConnectionReset)
    }
}

/// One control request over a connection of its own, as stock's clients make it.
pub(crate) fn control(address: &Address, method: &str, args: &[Value]) -> Said {
    let mut raw = Raw::known(address);
    let said = raw.ask(None, method, args);
    assert!(raw.is_ended());
    said
}
