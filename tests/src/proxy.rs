//! A TCP proxy in front of a server, which can be cut: then nothing passes in either direction and nobody is told. Listens on
//! 127.0.0.1.

use std::net::SocketAddr;

use anyhow::{Context, Result};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Bytes that are passed on at a time.
const CHUNK: usize = 16 * 1024;

/// A running proxy. Dropping it ends it, and with it all connections.
#[derive(Debug)]
pub struct Proxy {
    /// Where it listens.
    pub address: SocketAddr,
    cut: watch::Sender<bool>,
    accepting: JoinHandle<()>,
}

impl Proxy {
    /// Starts one in front of `target`, such as `127.0.0.1:6443`.
    ///
    /// # Errors
    /// When the system has no port left.
    pub async fn start(target: &str) -> Result<Self> {
        let listener = TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0))
            .await
            .context("no free port")?;
        let address = listener.local_addr()?;
        let (cut, watching) = watch::channel(false);
        let target = target.to_owned();
        let accepting = tokio::spawn(async move {
            // A new connection is taken also while the line is cut, as by a network that swallows everything.
            while let Ok((near, _)) = listener.accept().await {
                let (target, cut) = (target.clone(), watching.clone());
                tokio::spawn(async move {
                    if let Ok(far) = TcpStream::connect(&target).await {
                        join(near, far, cut).await;
                    }
                });
            }
        });
        Ok(Self {
            address,
            cut,
            accepting,
        })
    }

    /// Lets nothing pass any more. It stays cut.
    pub fn cut(&self) {
        self.cut.send_replace(true);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn join(near: TcpStream, far: TcpStream, cut: watch::Receiver<bool>) {
    let (from_near, to_near) = near.into_split();
    let (from_far, to_far) = far.into_split();
    let there = pass(from_near, to_far, cut.clone());
    let back = pass(from_far, to_near, cut);
    tokio::join!(there, back);
}

/// Passes on until one side closes, or holds everything from the cut until the proxy is gone.
async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut cut: watch::Receiver<bool>) {
    let mut buffer = vec![0; CHUNK];
    loop {
        let read = tokio::select! {
            biased;
            () = until_cut(&mut cut) => None,
            read = from.read(&mut buffer) => Some(read),
        };
        let Some(read) = read else {
            // Both sides keep their connection, and hear nothing.
            while cut.changed().await.is_ok() {}
            return;
        };
        let Ok(count @ 1..) = read else { break };
        let Some(bytes) = buffer.get(..count) else {
            break;
        };
        if to.write_all(bytes).await.is_err() {
            break;
        }
    }
    // The other side hears of the end; an error means that it knows.
    let _ = to.shutdown().await;
}

/// Returns also when the proxy is gone.
async fn until_cut(cut: &mut watch::Receiver<bool>) {
    let _ = cut.wait_for(|cut| *cut).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test]
    async fn passes_on_until_it_is_cut() {
        let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let target = server.local_addr().unwrap().to_string();
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = server.accept().await.unwrap();
                tokio::spawn(async move {
                    let mut byte = [0];
                    while stream.read_exact(&mut byte).await.is_ok() {
                        stream.write_all(&byte).await.unwrap();
                    }
                });
            }
        });
        let proxy = Proxy::start(&target).await.unwrap();
        let mut stream = TcpStream::connect(proxy.address).await.unwrap();
        let mut byte = [7];
        stream.write_all(&byte).await.unwrap();
        stream.read_exact(&mut byte).await.unwrap();
        assert_eq!(byte, [7]);
        proxy.cut();
        for mut stream in [stream, TcpStream::connect(proxy.address).await.unwrap()] {
            stream.write_all(&byte).await.unwrap();
            let silence = stream.read(&mut byte);
            let answer = tokio::time::timeout(Duration::from_millis(200), silence).await;
            assert!(answer.is_err(), "something passed: {answer:?}");
        }
    }
}
