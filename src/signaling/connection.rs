//! One socket: reads into the hub, writes what waits for it, pings, and ends.

use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Duration, Instant, MissedTickBehavior, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Bytes, Error, Message, Utf8Bytes};

use super::Limits;
use super::rate::Rate;
use crate::hub::{HubHandle, Inbox, Member, Outgoing};
use crate::proto::id::{ConnectionId, RoomId};
use crate::proto::signal::{ClientMessage, CloseCode, ErrorCode};

/// Serves the socket until it ends, and says so.
pub(super) async fn run<S>(mut socket: WebSocketStream<S>, room: RoomId, member: Member, hub: &HubHandle, limits: &Limits)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let Some((connection, mut inbox)) = hub.open(room, member).await else {
        close(&mut socket, CloseCode::GoingAway).await;
        return;
    };
    let ended = serve(&mut socket, connection, &mut inbox, hub, limits).await;
    hub.closed(connection).await;
    if let Some(code) = ended {
        close(&mut socket, code).await;
    }
}

/// Returns how the socket is to be closed; `None` if the other side is gone.
async fn serve<S>(
    socket: &mut WebSocketStream<S>,
    connection: ConnectionId,
    inbox: &mut Inbox,
    hub: &HubHandle,
    limits: &Limits,
) -> Option<CloseCode>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut rate = Rate::new(limits.messages_per_second, limits.messages_burst, Instant::now().into_std());
    let mut pings = tokio::time::interval_at(Instant::now() + limits.ping_interval, limits.ping_interval);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut heard_at = Instant::now();
    loop {
        let ended = tokio::select! {
            outgoing = inbox.next() => match outgoing {
                Some(Outgoing::Text(text)) => write(socket, inbox, Message::text(text)).await,
                Some(Outgoing::Close(code)) => Err(Some(code)),
                None => Err(None),
            },
            incoming = socket.next() => {
                heard_at = Instant::now();
                match read(incoming) {
                    Ok(Some(text)) => {
                        let message = if rate.allows(heard_at.into_std(), text.len()) { parse(&text) } else { Err(ErrorCode::RateLimited) };
                        hub.said(connection, message).await;
                        Ok(())
                    }
                    Ok(None) => Ok(()),
                    Err(ended) => Err(ended),
                }
            }
            _ = pings.tick() => write(socket, inbox, Message::Ping(Bytes::new())).await,
            () = tokio::time::sleep_until(heard_at + limits.dead_after) => Err(None),
        };
        if let Err(ended) = ended {
            return ended;
        }
    }
}

/// The text of a message, `None` if it is a control frame; or how the socket ends.
fn read(incoming: Option<Result<Message, Error>>) -> Result<Option<Utf8Bytes>, Option<CloseCode>> {
    match incoming {
        Some(Ok(Message::Text(text))) => Ok(Some(text)),
        // No message of the wire is binary: it is refused like any other text that is none.
        Some(Ok(Message::Binary(_))) => Ok(Some(Utf8Bytes::default())),
        Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => Ok(None),
        Some(Err(Error::Capacity(_))) => Err(Some(CloseCode::MessageTooBig)),
        Some(Ok(Message::Close(_)) | Err(_)) | None => Err(None),
    }
}

fn parse(text: &str) -> Result<ClientMessage, ErrorCode> {
    serde_json::from_str(text).map_err(|_| ErrorCode::Malformed)
}

/// Writes a message; gives up when the reader is too slow.
async fn write<S>(socket: &mut WebSocketStream<S>, inbox: &mut Inbox, message: Message) -> Result<(), Option<CloseCode>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    tokio::select! {
        written = socket.send(message) => written.map_err(|_| None),
        () = inbox.overflowed() => Err(Some(CloseCode::TryAgainLater)),
    }
}

/// Says why, and gives the other side a moment to hear it.
async fn close<S>(socket: &mut WebSocketStream<S>, code: CloseCode)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let frame = CloseFrame { code: (code as u16).into(), reason: code.reason().into() };
    let goodbye = async {
        if socket.close(Some(frame)).await.is_ok() {
            while let Some(Ok(_)) = socket.next().await {}
        }
    };
    // Whoever does not answer is gone.
    let _ = timeout(GOODBYE_MAX, goodbye).await;
}

const GOODBYE_MAX: Duration = Duration::from_secs(1);
