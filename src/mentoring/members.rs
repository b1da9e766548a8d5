//! Who belongs to a session besides its mentor and its student.

use super::{Mentoring, MentoringError};
use crate::proto::id::{ParticipantId, RoomId, SessionId, UserId};
use crate::proto::signal::Role;
use crate::store::{MEMBERS_MAX, MentoringSession, User};

impl Mentoring {
    /// Adds a colleague or another student by username (as it is stored), or changes what they are in the session.
    ///
    /// # Errors
    /// [`MentoringError::NotFound`] for outsiders, [`MentoringError::ForbiddenRole`] for whoever does not lead the session,
    /// [`MentoringError::InvalidField`], [`MentoringError::SessionFull`], or what the database refused with.
    pub async fn add_member(
        &self,
        user: &User,
        id: SessionId,
        username: &str,
        role: Role,
    ) -> Result<MentoringSession, MentoringError> {
        let session = self.led_session(user, id).await?;
        let found = self.store.user_by_name(username.to_owned()).await?.map(|(user, _)| user);
        let fits = |found: &User| match role {
            Role::Mentor => found.role.is_staff(),
            Role::Student => found.role == Role::Student,
            Role::Admin | Role::Guest => false,
        };
        let remedy = "name an account that has this role: mentors and admins join as mentor, students as student";
        let found = found.filter(fits).ok_or(MentoringError::InvalidField { field: "username", remedy })?;
        if [session.mentor.id, session.student.id].contains(&found.id) {
            let remedy = "name somebody who does not belong to the session yet";
            return Err(MentoringError::InvalidField { field: "username", remedy });
        }
        if !self.store.add_member(id, found.id, role, MEMBERS_MAX).await? {
            return Err(MentoringError::SessionFull);
        }
        self.session_of(id).await
    }

    /// Removes a member; where they sat in the standing room, if they ever came into it.
    ///
    /// # Errors
    /// [`MentoringError::NotFound`] for outsiders and for nobody's member, [`MentoringError::ForbiddenRole`] for whoever does not lead
    /// the session, or what the database refused with.
    pub async fn remove_member(
        &self,
        user: &User,
        id: SessionId,
        member: UserId,
    ) -> Result<Option<(RoomId, ParticipantId)>, MentoringError> {
        let session = self.led_session(user, id).await?;
        if !self.store.remove_member(id, member).await? {
            return Err(MentoringError::NotFound);
        }
        let Some((room, _)) = session.room else { return Ok(None) };
        let participants = self.store.room(room).await?.map(|room| room.participants).unwrap_or_default();
        Ok(participants.iter().find(|participant| participant.user == member).map(|participant| (room, participant.id)))
    }

    /// Proves that somebody may invite to a session: its staff, and admins.
    ///
    /// # Errors
    /// [`MentoringError::NotFound`] for outsiders, [`MentoringError::ForbiddenRole`] for students and guests,
    /// [`MentoringError::SessionNotAccepted`], or what the database refused with.
    pub async fn may_invite(&self, user: &User, id: SessionId) -> Result<(), MentoringError> {
        let session = self.staffed_session(user, id, "only a mentor of the session invites").await?;
        match session.status {
            crate::store::SessionStatus::Accepted => Ok(()),
            _ => Err(MentoringError::SessionNotAccepted),
        }
    }

    /// The session, for its staff and for admins; `refusal` is told to its other members.
    pub(super) async fn staffed_session(
        &self,
        user: &User,
        id: SessionId,
        refusal: &'static str,
    ) -> Result<MentoringSession, MentoringError> {
        let session = self.session_of(id).await?;
        match role_in(&session, user) {
            _ if user.role == Role::Admin => Ok(session),
            Some(role) if role.is_staff() => Ok(session),
            Some(_) => Err(MentoringError::ForbiddenRole(refusal)),
            None => Err(MentoringError::NotFound),
        }
    }

    /// The session, for its own mentor and for admins.
    async fn led_session(&self, user: &User, id: SessionId) -> Result<MentoringSession, MentoringError> {
        let session = self.session_of(id).await?;
        match role_in(&session, user) {
            _ if user.role == Role::Admin || session.mentor.id == user.id => Ok(session),
            Some(_) => Err(MentoringError::ForbiddenRole("only the session's own mentor says who belongs to it")),
            None => Err(MentoringError::NotFound),
        }
    }

    async fn session_of(&self, id: SessionId) -> Result<MentoringSession, MentoringError> {
        self.store.session(id).await?.ok_or(MentoringError::NotFound)
    }
}

/// What somebody is in a session; `None` for outsiders, whatever their account.
pub(super) fn role_in(session: &MentoringSession, user: &User) -> Option<Role> {
    let member = session.members.iter().find(|member| member.id == user.id).map(|member| member.role);
    match user.id {
        id if id == session.mentor.id => Some(Role::Mentor),
        id if id == session.student.id => Some(Role::Student),
        _ => member,
    }
}
