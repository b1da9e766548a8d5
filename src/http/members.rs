//! Who else belongs to a session: members, invitations, and guests who follow one.

use std::net::IpAddr;
use std::time::Duration;

use hyper::StatusCode;
use serde::Deserialize;
use serde_json::json as object;

use super::auth::signed_in;
use super::problem::Problem;
use super::request::ApiRequest;
use super::setup::{display_name_of, username_of};
use super::{Answer, Http, json, no_content, view};
use crate::accounts::{InviteError, RedeemError};
use crate::proto::id::SessionId;
use crate::proto::signal::Role;

#[derive(Deserialize)]
struct NewMember {
    username: String,
    role: Role,
}

#[derive(Deserialize)]
struct NewInvitation {
    #[serde(default = "one")]
    uses_max: u32,
    #[serde(default = "day")]
    valid_for_hours: u32,
}

#[derive(Deserialize)]
struct NewGuest {
    invitation: String,
    display_name: String,
}

impl Http {
    /// `POST sessions/{id}/members/`.
    pub(super) async fn add_member(&self, request: ApiRequest, id: &str) -> Result<Answer, Problem> {
        let login = self.login(&request).await?;
        let new: NewMember = request.json().await?;
        let username = username_of(&new.username)?;
        let session = self.mentoring.add_member(&login.user, session_id(id)?, username.as_str(), new.role).await?;
        log::info!(event = "member_added", session:% = session.id; "somebody was added to a session");
        Ok(json(StatusCode::OK, &view::session(&session)))
    }

    /// `DELETE sessions/{id}/members/{user_id}/`. Their sockets close, and their credentials are void.
    pub(super) async fn remove_member(&self, request: ApiRequest, id: &str, user: &str) -> Result<Answer, Problem> {
        let login = self.login(&request).await?;
        let member = user.parse().map_err(|_| Problem::not_found())?;
        let place = self.mentoring.remove_member(&login.user, session_id(id)?, member).await?;
        if let Some((room, participant)) = place {
            self.hub.remove(room, participant).await;
        }
        log::info!(event = "member_removed", session = id; "somebody was removed from a session");
        Ok(no_content())
    }

    /// `POST sessions/{id}/invitations/`.
    pub(super) async fn invite(&self, request: ApiRequest, host: &str, id: &str) -> Result<Answer, Problem> {
        let login = self.login(&request).await?;
        let id = session_id(id)?;
        self.mentoring.may_invite(&login.user, id).await?;
        let new: NewInvitation = request.json().await?;
        let valid_for = Duration::from_secs(u64::from(new.valid_for_hours) * 3600);
        let (invitation, token) = self.accounts.invite(&login.user, id, new.uses_max, valid_for).await?;
        log::info!(event = "invited", session:% = id, invitation:% = invitation.id; "an invitation was made");
        let mut body = view::invitation(&invitation);
        // Browsers send no server what follows the #, so the token is in no log.
        body["link"] = format!("https://{host}/join#{}", token.to_fragment()).into();
        Ok(json(StatusCode::CREATED, &body))
    }

    /// `GET sessions/{id}/invitations/`.
    pub(super) async fn invitations(&self, request: ApiRequest, id: &str) -> Result<Answer, Problem> {
        let login = self.login(&request).await?;
        let id = session_id(id)?;
        self.mentoring.may_invite(&login.user, id).await?;
        let invitations: Vec<_> = self.accounts.invitations(id).await?.iter().map(view::invitation).collect();
        Ok(json(StatusCode::OK, &object!({ "invitations": invitations })))
    }

    /// `DELETE sessions/{id}/invitations/{invitation_id}/`.
    pub(super) async fn revoke_invitation(&self, request: ApiRequest, id: &str, invitation: &str) -> Result<Answer, Problem> {
        let login = self.login(&request).await?;
        let id = session_id(id)?;
        self.mentoring.may_invite(&login.user, id).await?;
        let invitation = invitation.parse().map_err(|_| Problem::not_found())?;
        match self.accounts.revoke_invitation(id, invitation).await? {
            true => Ok(no_content()),
            false => Err(Problem::not_found()),
        }
    }

    /// `POST guests/`: follows an invitation. Whoever is signed in stays who they are.
    pub(super) async fn redeem(&self, source: IpAddr, request: ApiRequest) -> Result<Answer, Problem> {
        let before = match request.login_token() {
            Some(token) => self.accounts.authenticate(&token).await?,
            None => None,
        };
        let new: NewGuest = request.json().await?;
        let name = display_name_of(&new.display_name)?;
        let welcome = self.accounts.redeem(&new.invitation, name, before.map(|login| login.user), source).await?;
        log::info!(event = "guest_came", session:% = welcome.session, user:% = welcome.user.id; "somebody followed an invitation");
        let body = object!({ "user": view::user(&welcome.user), "session_id": welcome.session });
        let answer = json(StatusCode::CREATED, &body);
        Ok(match &welcome.login {
            Some(login) => signed_in(answer, login),
            None => answer,
        })
    }
}

impl From<InviteError> for Problem {
    fn from(error: InviteError) -> Self {
        let detail = error.to_string();
        match error {
            InviteError::OutOfRange(_) => Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_field", detail),
            InviteError::TooMany => Self::new(StatusCode::CONFLICT, "too_many_invitations", detail),
            InviteError::Store(error) => error.into(),
        }
    }
}

impl From<RedeemError> for Problem {
    fn from(error: RedeemError) -> Self {
        let detail = error.to_string();
        match error {
            RedeemError::Void => Self::new(StatusCode::NOT_FOUND, "invitation_void", detail),
            RedeemError::Lookalike => Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_field", detail),
            RedeemError::Full => Self::new(StatusCode::CONFLICT, "session_full", detail),
            RedeemError::TooManyAttempts { retry_after } => {
                Self::later(StatusCode::TOO_MANY_REQUESTS, "too_many_attempts", detail, retry_after)
            }
            RedeemError::Store(error) => error.into(),
        }
    }
}

fn session_id(text: &str) -> Result<SessionId, Problem> {
    text.parse().map_err(|_| Problem::not_found())
}

const fn one() -> u32 {
    1
}

const fn day() -> u32 {
    24
}
