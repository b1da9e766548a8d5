//! One socket: reads into the hub, writes what waits for it, pings, and ends.

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until};
use tokio_tungstenite::tungstenite::{Bytes, Message, Utf8Bytes};

use super::Limits;
use super::rate::Rate;
use super::socket::{Ended, Socket};
use crate::hub::{HubHandle, Inbox, Member, Outgoing};
use crate::proto::id::{ConnectionId, RoomId};
use crate::proto::signal::{ClientMessage, CloseCode, ErrorCode};

/// Serves the socket until it ends, and says so. What happens seldom is boxed: a socket that waits has no room for it.
pub(super) async fn run<S>(mut socket: Socket<S>, room: RoomId, member: Member, hub: &HubHandle, limits: &Limits)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let Some((connection, mut inbox)) = Box::pin(hub.open(room, member)).await else {
        Box::pin(socket.close(CloseCode::GoingAway)).await;
        return;
    };
    let ended = serve(&mut socket, connection, &mut inbox, hub, limits).await;
    Box::pin(hub.closed(connection)).await;
    if let Some(code) = ended {
        Box::pin(socket.close(code)).await;
    }
}

/// Returns how the socket is to be closed.
async fn serve<S>(socket: &mut Socket<S>, connection: ConnectionId, inbox: &mut Inbox, hub: &HubHandle, limits: &Limits) -> Ended
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut rate = Rate::new(limits.messages_per_second, limits.messages_burst, Instant::now().into_std());
    let mut pings = interval_at(Instant::now() + limits.ping_interval, limits.ping_interval);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut heard_at = Instant::now();
    loop {
        let dead_at = heard_at + limits.dead_after;
        let ended = tokio::select! {
            outgoing = inbox.next() => match outgoing {
                Some(Outgoing::Text(text)) => write(socket, inbox, Message::text(text), dead_at).await,
                Some(Outgoing::Close(code)) => Err(Some(code)),
                None => Err(None),
            },
            incoming = socket.read() => {
                heard_at = Instant::now();
                match incoming.map(text) {
                    Ok(Some(text)) => {
                        let message = if rate.allows(heard_at.into_std(), text.len()) { parse(&text) } else { Err(ErrorCode::RateLimited) };
                        Box::pin(hub.said(connection, message)).await;
                        Ok(())
                    }
                    Ok(None) => Ok(()),
                    Err(ended) => Err(ended),
                }
            }
            _ = pings.tick() => write(socket, inbox, Message::Ping(Bytes::new()), dead_at).await,
            () = sleep_until(dead_at) => Err(None),
        };
        if let Err(ended) = ended {
            return ended;
        }
    }
}

/// The text of a message, `None` if it is a control frame.
fn text(message: Message) -> Option<Utf8Bytes> {
    match message {
        Message::Text(text) => Some(text),
        // No message of the wire is binary: it is refused like any other text that is none.
        Message::Binary(_) => Some(Utf8Bytes::default()),
        Message::Ping(_) | Message::Pong(_) | Message::Close(_) | Message::Frame(_) => None,
    }
}

fn parse(text: &str) -> Result<ClientMessage, ErrorCode> {
    serde_json::from_str(text).map_err(|_| ErrorCode::Malformed)
}

/// Writes a message; gives up when the reader is too slow, or dead: nothing is read meanwhile, and a network that swallows everything
/// does not say so.
async fn write<S>(socket: &mut Socket<S>, inbox: &mut Inbox, message: Message, dead_at: Instant) -> Result<(), Ended>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    tokio::select! {
        written = socket.write(message) => written,
        () = inbox.overflowed() => Err(Some(CloseCode::TryAgainLater)),
        () = sleep_until(dead_at) => Err(None),
    }
}
