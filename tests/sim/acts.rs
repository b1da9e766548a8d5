//! What people do with their pages: most of it sensible, some of it not.

use visavis::proto::id::ParticipantId;
use visavis::proto::signal::{Candidate, ClientMessage, Description, Media, Of, To, VERSIONS};

use crate::people::State;
use crate::world::{Happening, World};

impl World {
    /// One person does something, and again later; once it is calm they let their pages be.
    pub(crate) fn act(&mut self, page: usize) {
        if self.calm {
            return;
        }
        match self.pages[page].state {
            State::Away if self.chance.one_in(2) => {
                self.pages[page].takeover = self.chance.one_in(2);
                self.connect(page);
            }
            State::Joined => self.act_seated(page),
            State::Waiting if self.chance.one_in(8) => self.go(page),
            State::Opening | State::Returning if self.chance.one_in(8) => self.go(page),
            _ => {}
        }
        let next = self.chance.wait(50, 6_000);
        self.after(next, Happening::Act(page));
    }

    fn act_seated(&mut self, page: usize) {
        let peer = self.somebody(page);
        let epoch = self.pages[page].roster.get(&peer).map_or(1, |seen| seen.epoch);
        let stale = u32::from(self.chance.one_in(5));
        let to = |sdp: String| To { to: peer, epoch: epoch.saturating_sub(stale), body: Description { sdp } };
        let room = self.people[self.pages[page].person].room;
        let own = format!("{room} {}", self.me(page));
        let message = match self.chance.below(26) {
            0..=3 => ClientMessage::Offer(to(own)),
            4 | 5 => ClientMessage::Answer(to(own)),
            6..=8 => ClientMessage::Candidate(To { to: peer, epoch, body: Candidate { candidate: None } }),
            9 | 10 => ClientMessage::Media(Media { microphone: self.chance.one_in(2), ..Media::default() }),
            11 => ClientMessage::Hello { versions: VERSIONS.to_vec() },
            12 => ClientMessage::Join { resume: self.pages[page].resume.clone(), takeover: true },
            13 => return self.babble(page),
            14 => return self.go(page),
            15 | 16 => return self.lose(page),
            // A page that is loaded again has no token, and the daemon may not yet know that it is gone.
            17 => {
                self.pages[page].resume = None;
                self.abandon(page);
                return self.connect(page);
            }
            18 => ClientMessage::Leave {},
            _ => match self.moderation(page, peer) {
                Some(message) => message,
                None => return,
            },
        };
        self.say(page, message.clone());
        if self.chance.one_in(10) {
            self.say(page, message);
        }
    }

    /// Moderators do it all the time, others try.
    fn moderation(&mut self, page: usize, peer: ParticipantId) -> Option<ClientMessage> {
        if !self.pages[page].moderator && !self.chance.one_in(10) {
            return None;
        }
        let lobby = self.pages[page].lobby.clone();
        let waiting = Of { participant_id: self.chance.pick(&lobby).unwrap_or(peer) };
        Some(match self.chance.below(40) {
            0..=19 => ClientMessage::Admit(waiting),
            20 | 21 => ClientMessage::Deny(waiting),
            22..=24 => ClientMessage::Kick(Of { participant_id: peer }),
            25..=28 => ClientMessage::Lock { locked: self.chance.one_in(2) },
            29..=33 => ClientMessage::Moderate { participant_id: peer, moderator: self.chance.one_in(2) },
            34 => ClientMessage::End {},
            _ => return None,
        })
    }

    /// Mostly somebody of the page's own roster; at times anybody, of whichever room.
    fn somebody(&mut self, page: usize) -> ParticipantId {
        let roster: Vec<_> = self.pages[page].roster.keys().copied().collect();
        match self.chance.pick(&roster) {
            Some(peer) if !self.chance.one_in(8) => peer,
            _ => {
                let person = self.chance.below(self.people.len());
                self.people[person].participant.participant_id
            }
        }
    }

    /// Closes the page without a word.
    fn go(&mut self, page: usize) {
        self.abandon(page);
        self.pages[page].state = State::Away;
        self.pages[page].resume = None;
    }
}
