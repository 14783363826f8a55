/** The metrics that a person is woken for, sorted. */
export const ALARMED_METRICS = [
  '5xx',
  'ApproximateAgeOfOldestMessage',
  'ApproximateNumberOfMessagesVisible',
  'ApproximateNumberOfMessagesVisible',
  'Errors',
  'FailedClaims',
  'FailedCompletions',
  'IteratorAge',
  'LostLeases',
  'SystemErrors',
  'WriteThrottleEvents',
];
