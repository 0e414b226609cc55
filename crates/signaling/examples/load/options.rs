//! The command line.

use std::cell::Cell;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use crate::Failure;
use crate::protocol::Protocol;

#[derive(Clone)]
pub(crate) struct Options {
    pub(crate) server: SocketAddr,
    /// Where recipients connect to, if not there.
    pub(crate) recipients: Option<SocketAddr>,
    pub(crate) protocol: Protocol,
    pub(crate) source: Ipv4Addr,
    pub(crate) sources: u32,
    pub(crate) prefix: String,
    pub(crate) duration: Duration,
    pub(crate) pairs: usize,
    pub(crate) window: usize,
    pub(crate) rate: Option<f64>,
    pub(crate) agents: usize,
    pub(crate) parallel: usize,
}

impl Options {
    pub(crate) fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, Failure> {
        let mut options = Self {
            server: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            recipients: None,
            protocol: Protocol::Ossa,
            source: Ipv4Addr::LOCALHOST,
            sources: 1,
            prefix: "a".into(),
            duration: Duration::from_secs(5),
            pairs: 32,
            window: 32,
            rate: None,
            agents: 1000,
            parallel: 64,
        };
        while let Some(name) = arguments.next() {
            let value = arguments.next().ok_or_else(|| format!("{name} needs a value"))?;
            match name.as_str() {
                "--server" => options.server = value.parse()?,
                "--recipients" => options.recipients = Some(value.parse()?),
                "--protocol" => options.protocol = value.parse()?,
                "--source" => options.source = value.parse()?,
                "--sources" => options.sources = value.parse()?,
                "--prefix" => options.prefix = value,
                "--seconds" => options.duration = Duration::try_from_secs_f64(value.parse()?)?,
                "--pairs" => options.pairs = value.parse()?,
                "--window" => options.window = value.parse()?,
                "--rate" => options.rate = Some(value.parse()?),
                "--agents" => options.agents = value.parse()?,
                "--parallel" => options.parallel = value.parse()?,
                _ => return Err(format!("unknown option {name}").into()),
            }
        }
        if options.sources == 0 {
            return Err("--sources is at least 1".into());
        }
        if options.server.port() == 0 {
            return Err("--server is missing".into());
        }
        Ok(options)
    }

    /// Where the next connection comes from: one address after the other.
    pub(crate) fn next_source(&self) -> Ipv4Addr {
        thread_local! {
            static NEXT: Cell<u32> = const { Cell::new(0) };
        }
        let turn = NEXT.replace(NEXT.get().wrapping_add(1));
        Ipv4Addr::from_bits(self.source.to_bits() + turn % self.sources)
    }

    /// The name of an agent, as long as names usually are.
    pub(crate) fn agent(&self, index: usize) -> String {
        self.protocol.name(&format!("{}-{index:06}", self.prefix))
    }
}
