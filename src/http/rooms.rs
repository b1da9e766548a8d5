//! `/api/mentoring/video-call/` and the signaling socket of a room.

use std::net::IpAddr;

use hyper::body::Incoming;
use hyper::{Request, StatusCode};
use serde::Deserialize;
use serde_json::json as object;

use super::problem::Problem;
use super::request::{self, ApiRequest};
use super::{Answer, Http, json, view};
use crate::hub::Member;
use crate::proto::id::{RoomId, SessionId};
use crate::proto::signal::EndReason;

#[derive(Deserialize)]
struct NewRoom {
    session_id: SessionId,
}

impl Http {
    /// `POST create/`: the standing room of a session, new (201) or not (200).
    pub(super) async fn create_room(&self, request: ApiRequest) -> Result<Answer, Problem> {
        let login = self.login(&request).await?;
        let new: NewRoom = request.json().await?;
        let (room, made) = self.mentoring.create_room(&login.user, new.session_id).await?;
        if made {
            log::info!(event = "room_created", room:% = room.id, session:% = room.session; "a room was made");
        }
        let status = if made { StatusCode::CREATED } else { StatusCode::OK };
        Ok(json(status, &view::room(&room)))
    }

    /// `GET {room_id}/`.
    pub(super) async fn room(&self, request: ApiRequest, id: &str) -> Result<Answer, Problem> {
        let login = self.login(&request).await?;
        let room = self.mentoring.room(&login.user, room_id(id)?).await?;
        Ok(json(StatusCode::OK, &view::room(&room)))
    }

    /// `GET session/{session_id}/`.
    pub(super) async fn room_of_session(&self, request: ApiRequest, id: &str) -> Result<Answer, Problem> {
        let login = self.login(&request).await?;
        let id = id.parse().map_err(|_| Problem::not_found())?;
        let room = self.mentoring.room_of_session(&login.user, id).await?;
        Ok(json(StatusCode::OK, &view::room(&room)))
    }

    /// `POST {room_id}/join/`: who one is there, with ICE servers of one's own.
    pub(super) async fn join_room(&self, request: ApiRequest, host: &str, id: &str) -> Result<Answer, Problem> {
        let login = self.login(&request).await?;
        let seat = self.mentoring.seat(&login.user, room_id(id)?).await?;
        let (room, participant) = (seat.room, seat.participant);
        // Whoever has to wait gets no credential before they are let in.
        let admitted = self.hub.admits(room.id, participant.clone(), seat.entry).await;
        let body = object!({
            "room": view::room(&room),
            "participant": participant,
            "ice_servers": self.ice.for_seat(host, admitted.then_some((room.id, participant.participant_id))),
            "ice_transport_policy": self.ice.transport_policy(),
            "socket_url": format!("/ws/video-call/{}/", room.id),
        });
        Ok(json(StatusCode::OK, &body))
    }

    /// `POST {room_id}/end/`.
    pub(super) async fn end_room(&self, request: ApiRequest, id: &str) -> Result<Answer, Problem> {
        let login = self.login(&request).await?;
        let room = self.mentoring.end_room(&login.user, room_id(id)?).await?;
        self.hub.end_room(room.id, EndReason::EndedByStaff).await;
        Ok(json(StatusCode::OK, &view::room(&room)))
    }

    /// `GET /ws/video-call/{room_id}/` with `Upgrade: websocket`.
    pub(super) async fn socket(
        &self,
        source: Option<IpAddr>,
        host: &str,
        id: &str,
        request: Request<Incoming>,
    ) -> Result<Answer, Problem> {
        let login = self.own_login(request::login_token(request.headers())).await?;
        let seat = self.mentoring.seat(&login.user, room_id(id)?).await?;
        let member = Member { participant: seat.participant, user: login.user.id, login: login.id, source, entry: seat.entry };
        let origin = format!("https://{host}");
        Ok(self.signaling.accept(request, seat.room.id, member, &origin)?)
    }
}

fn room_id(text: &str) -> Result<RoomId, Problem> {
    text.parse().map_err(|_| Problem::not_found())
}
