import type { ReactNode } from "react";

export interface IconProps {
  readonly className?: string;
}

function icon(paths: ReactNode) {
  return function Icon({ className = "icon" }: IconProps) {
    return (
      <svg className={className} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
        {paths}
      </svg>
    );
  };
}

export const MicrophoneIcon = icon(
  <>
    <rect x="9" y="3" width="6" height="11" rx="3" />
    <path d="M5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v3" />
  </>,
);
export const MicrophoneOffIcon = icon(
  <>
    <path d="M15 9.5V6a3 3 0 0 0-5.6-1.5M9 9v2a3 3 0 0 0 4.6 2.5M5.5 11.5a6.5 6.5 0 0 0 10.4 5.2M18.5 11.5c0 .9-.2 1.7-.5 2.5M12 18v3" />
    <path d="m4 4 16 16" />
  </>,
);
export const CameraIcon = icon(
  <>
    <rect x="3" y="6.5" width="12.5" height="11" rx="2.5" />
    <path d="m15.5 10.8 4.3-2.6a.8.8 0 0 1 1.2.7v6.2a.8.8 0 0 1-1.2.7l-4.3-2.6" />
  </>,
);
export const CameraOffIcon = icon(
  <>
    <path d="M9.5 6.5H13a2.5 2.5 0 0 1 2.5 2.5v1.8l4.3-2.6a.8.8 0 0 1 1.2.7v6.2c0 .5-.4.8-.9.8M15.5 15.5A2.5 2.5 0 0 1 13 17.5H5.5A2.5 2.5 0 0 1 3 15V9c0-1.1.7-2 1.7-2.4" />
    <path d="m4 4 16 16" />
  </>,
);
export const ScreenIcon = icon(
  <>
    <rect x="3" y="4.5" width="18" height="12" rx="2.5" />
    <path d="M8 20h8M12 13.5v-5m-2.3 2.2L12 8.4l2.3 2.3" />
  </>,
);
export const ScreenStopIcon = icon(
  <>
    <rect x="3" y="4.5" width="18" height="12" rx="2.5" />
    <path d="M8 20h8m-6-11.5 4 4m0-4-4 4" />
  </>,
);
export const ExpandIcon = icon(<path d="M4 9V6a2 2 0 0 1 2-2h3m6 0h3a2 2 0 0 1 2 2v3m0 6v3a2 2 0 0 1-2 2h-3m-6 0H6a2 2 0 0 1-2-2v-3" />);
export const ShrinkIcon = icon(<path d="M9 4v3a2 2 0 0 1-2 2H4m16 0h-3a2 2 0 0 1-2-2V4m0 16v-3a2 2 0 0 1 2-2h3M4 15h3a2 2 0 0 1 2 2v3" />);
export const LeaveIcon = icon(
  <path
    className="icon-solid"
    d="M12 9c3.7 0 6.7 1 8.8 2.8.6.5.8 1.3.6 2l-.5 1.7c-.2.8-1 1.2-1.8 1l-2.5-.7c-.7-.2-1.2-.8-1.2-1.5v-1.5a11 11 0 0 0-6.8 0v1.5c0 .7-.5 1.3-1.2 1.5l-2.5.7c-.8.2-1.6-.2-1.8-1l-.5-1.7c-.2-.7 0-1.5.6-2C5.3 10 8.3 9 12 9Z"
  />,
);
export const EndAllIcon = icon(
  <>
    <circle cx="9" cy="8.5" r="3.2" />
    <path d="M3.5 19c.3-3 2.5-5 5.5-5 1.5 0 2.9.5 3.9 1.4M15.5 15.5l5 5m0-5-5 5M15 5.6a3.2 3.2 0 0 1 1.5 5.3" />
  </>,
);
export const AlertIcon = icon(
  <>
    <circle cx="12" cy="12" r="9" />
    <path d="M12 7.5v5.5m0 3.2v.1" />
  </>,
);
export const InfoIcon = icon(
  <>
    <circle cx="12" cy="12" r="9" />
    <path d="M12 11v5.5m0-8.7v.1" />
  </>,
);
export const ChevronIcon = icon(<path d="m7 10 5 5 5-5" />);
export const BackIcon = icon(<path d="M19 12H5m6-6-6 6 6 6" />);
export const CloseIcon = icon(<path d="m6.5 6.5 11 11m0-11-11 11" />);
export const CheckIcon = icon(<path d="m5 12.5 4.5 4.5L19 7.5" />);
export const SpeakerIcon = icon(<path d="M4 10v4h3.5l4.5 4V6l-4.5 4zm12-1a4.5 4.5 0 0 1 0 6m2.8-9a9 9 0 0 1 0 12" />);
export const CalendarIcon = icon(
  <>
    <rect x="4" y="5.5" width="16" height="14.5" rx="3" />
    <path d="M4 10.5h16M8.5 3.5v4m7-4v4" />
  </>,
);

export const PeopleIcon = icon(
  <>
    <circle cx="9" cy="8.5" r="3.5" />
    <path d="M2.5 19.5a6.5 6.5 0 0 1 13 0M16 5.3a3.5 3.5 0 0 1 0 6.4M18 14.3a6.5 6.5 0 0 1 3.5 5.200" />
  </>,
);
export const LockIcon = icon(
  <>
    <rect x="5" y="10.5" width="14" height="9.5" rx="2.5" />
    <path d="M8 10.5V8a4 4 0 0 1 8 0v2.5" />
  </>,
);
export const InviteIcon = icon(
  <>
    <circle cx="10" cy="8.5" r="3.5" />
    <path d="M3.5 19.5a6.5 6.5 0 0 1 13 0M19 8v6m3-3h-6" />
  </>,
);
export const CopyIcon = icon(
  <>
    <rect x="9" y="9" width="11" height="11" rx="2.5" />
    <path d="M5.5 15A1.5 1.5 0 0 1 4 13.5v-7A2.5 2.5 0 0 1 6.5 4h7A1.5 1.5 0 0 1 15 5.5" />
  </>,
);
export const MoreIcon = icon(
  <>
    <path d="M5 12h.01M12 12h.01M19 12h.01" strokeWidth="2.8" />
  </>,
);

/** Two half circles, face to face. */
export function Mark({ className = "mark" }: IconProps) {
  return (
    <svg className={className} viewBox="0 0 34 24" aria-hidden="true" focusable="false">
      <path className="mark-near" d="M3 2a10 10 0 0 1 0 20z" transform="translate(2.5 0)" />
      <path className="mark-far" d="M31 2a10 10 0 0 0 0 20z" transform="translate(-2.5 0)" />
    </svg>
  );
}
