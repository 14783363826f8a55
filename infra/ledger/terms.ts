/** How long a message waits in the ledger's queue, and how long in its dead-letter queue: SQS counts both from its sending. */
export const QUEUE_DAYS = 4;
export const DEAD_LETTER_DAYS = 14;

/** The stream's: until then the publisher may send an event again. */
const STREAM_DAYS = 1;

/**
 * How long an event that was booked is known again: until its last copy can have come. One that the publisher sends on the
 * stream's last day may lie in the dead-letter queue for 14 days, and is a new message when it is redriven then. And a day to
 * spare. What comes later still is refused by its entry.
 */
export const BOOKED_DAYS = STREAM_DAYS + 2 * DEAD_LETTER_DAYS + 1;
