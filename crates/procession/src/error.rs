//! The error of everything.

/// Whatever can go wrong, under one type, for programs that hand errors up.
///
/// Each operation has the error that fits it; this one has them all, and answers the questions that
/// a program asks.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Of a queue, a pipe, a lock or a shared value.
    #[error(transparent)]
    Ipc(#[from] procession_ipc::Error),
    /// Of a process.
    #[error(transparent)]
    Process(#[from] procession_process::Error),
    /// Of a pool or a task.
    #[error(transparent)]
    Pool(#[from] procession_process::PoolError),
    /// Of a program that was run.
    #[error(transparent)]
    Subprocess(#[from] procession_process::subprocess::Error),
    /// Of a manager, or one of its objects.
    #[error(transparent)]
    Manager(#[from] procession_manager::client::ManagerError),
    /// Of a server that cannot be had.
    #[error(transparent)]
    Bind(#[from] procession_manager::server::BindError),
    /// Of a fork.
    #[error(transparent)]
    Fork(#[from] procession_process::ForkError),
}

impl Error {
    /// Whether the time was up.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        match self {
            Self::Ipc(error) => error.is_timeout(),
            Self::Process(error) => error.is_timeout(),
            Self::Pool(error) => error.is_timeout(),
            Self::Subprocess(error) => error.is_timeout(),
            Self::Manager(error) => error.is_timeout(),
            Self::Bind(_) | Self::Fork(_) => false,
        }
    }

    /// Whether the other side has closed, or gone.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        match self {
            Self::Ipc(error) => error.is_closed(),
            Self::Manager(error) => error.is_closed(),
            _ => false,
        }
    }

    /// Whether a process that took part, or was to do it, is dead.
    #[must_use]
    pub fn is_peer_dead(&self) -> bool {
        match self {
            Self::Ipc(error) => error.is_peer_dead(),
            Self::Process(error) => error.is_peer_dead(),
            Self::Pool(error) => error.is_peer_dead(),
            Self::Manager(error) => error.is_peer_dead(),
            _ => false,
        }
    }
}
