//! `procession serve`: a manager for any machine.

use crate::key_file;
use crate::say;
use crate::stop::Stop;
use clap::Args;
use procession::manager::{Address, Limits, Server, ServerBuilder, TlsServer, Type};
use std::error::Error;
use std::path::PathBuf;
use std::str::FromStr;
use std::thread;

/// What the command line says.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Where to listen: host:port, :port for all addresses of this machine, a path with a slash in it, or @name.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8888")]
    bind: Address,
    /// The file with the key that clients must know; a newline at its end does not count. Without one only this machine is
    /// served, with the empty key.
    #[arg(long, value_name = "FILE")]
    authkey_file: Option<PathBuf>,
    /// An object for all who ask for the name, such as get_task_queue=Queue or small=Queue:10 with a bound. Unless one is
    /// given: get_task_queue and get_result_queue.
    #[arg(long, value_name = "NAME=TYPE[:NUMBER]")]
    register: Vec<Registration>,
    /// Speaks TLS, with this chain of certificates (PEM); stock Python clients cannot.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The private key of the certificate (PEM).
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// How many connections are served at once.
    #[arg(long, value_name = "N")]
    max_connections: Option<usize>,
    /// The most bytes that one message may have.
    #[arg(long, value_name = "BYTES")]
    max_message: Option<u64>,
    /// The most bytes that all that is stored may have.
    #[arg(long, value_name = "BYTES")]
    max_memory: Option<usize>,
}

/// A name, and what stands behind it.
#[derive(Clone, Debug)]
struct Registration {
    name: String,
    kind: Type,
    /// The bound of a queue, the value of a semaphore, the parties of a barrier.
    number: Option<u64>,
}

impl FromStr for Registration {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, kind) = text.split_once('=').ok_or("write NAME=TYPE, such as tasks=Queue")?;
        let (kind, number) = match kind.split_once(':') {
            Some((kind, number)) => {
                (kind, Some(number.parse().map_err(|_| format!("{number} is no number"))?))
            }
            None => (kind, None),
        };
        let kind =
            kind.parse().map_err(|error: procession::manager::UnknownType| error.to_string())?;
        Ok(Self { name: name.to_owned(), kind, number })
    }
}

impl Registration {
    fn add(&self, to: ServerBuilder) -> ServerBuilder {
        to.register(&self.name, self.kind, self.number.map(Into::into).into_iter().collect())
    }
}

/// Serves until Ctrl-C, SIGTERM, or the `shutdown` of a client.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let stop = Stop::listen()?;
    let registered = registered(&arguments.register);
    let server = registered.iter().fold(builder(arguments)?, |to, one| one.add(to));
    let server = server.bind(&arguments.bind)?;
    let names: Vec<_> = registered.iter().map(|one| format!("{}={}", one.name, one.kind)).collect();
    say!("serving {} at {}", names.join(", "), server.address());
    let (stopper, counters) = (server.stopper(), server.counters());
    thread::scope(|scope| {
        let running = scope.spawn(|| {
            let ended = server.run();
            stop.tell_end();
            ended
        });
        let heard = stop.wait(None);
        stopper.stop();
        heard.and(running.join().unwrap_or(Ok(())))
    })?;
    let status = counters.read();
    say!("ended: {} calls, {} refused", status.calls, status.refused);
    Ok(())
}

fn registered(given: &[Registration]) -> Vec<Registration> {
    let tutorial = ["get_task_queue", "get_result_queue"];
    let queue =
        |name: &str| Registration { name: name.to_owned(), kind: Type::Queue, number: None };
    if given.is_empty() { tutorial.map(queue).to_vec() } else { given.to_vec() }
}

fn builder(arguments: &Arguments) -> Result<ServerBuilder, Box<dyn Error>> {
    let mut builder = Server::builder().limits(limits(arguments));
    if let Some(path) = &arguments.authkey_file {
        builder = builder.authkey(key_file::read(path)?);
    }
    if let (Some(certificate), Some(key)) = (&arguments.tls_cert, &arguments.tls_key) {
        let (certificate, key) = (key_file::text(certificate)?, key_file::text(key)?);
        builder = builder.tls(TlsServer::from_pem(&certificate, &key)?);
    }
    Ok(builder)
}

fn limits(arguments: &Arguments) -> Limits {
    let usual = Limits::default();
    Limits {
        connections: arguments.max_connections.unwrap_or(usual.connections),
        message: arguments.max_message.unwrap_or(usual.message),
        memory: arguments.max_memory.unwrap_or(usual.memory),
        ..usual
    }
}
