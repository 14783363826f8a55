/** A time since the beginning: `0:30`, `24:00:31`. Fractions count as long as they are short. */
export function seconds(millis: number): string {
  const whole = Math.floor(millis / 1000);
  const two = (value: number) => String(value).padStart(2, '0');
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const short = `${minutes}:${two(whole % 60)}`;
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : short;
}

/** A length of time: `50 ms`, `31 s`, `a day`. */
export function duration(millis: number): string {
  if (millis < 1000) return `${Math.ceil(millis)} ms`;
  if (millis < 120_000) return `${Math.floor(millis / 100) / 10} s`;
  const hours = millis / 3_600_000;
  return hours >= 23 ? 'a day' : `${Math.round(millis / 60_000)} min`;
}

const NOUNS: Readonly<Record<string, string>> = {
  completion: 'outcome',
  removal: 'withdrawal',
  read: 'look',
  charge: 'payment',
  one: 'first half',
  two: 'second half',
  reserve: 'reservation',
  confirm: 'confirmation',
};

/** How a message is called in a sentence. Its name is that of the kill table. */
export function nounOf(name: string): string {
  const [base = name, number] = name.split(' ');
  return [NOUNS[base] ?? base, number].filter(Boolean).join(' ');
}
