// What stands in for the host outside of a component, and keeps what was logged.

export const lines = [];
export const parameters = new Map();
export const log = (level, message) => void lines.push(`${level}: ${message}`);
export const parameter = (name) => parameters.get(name);
export const now = () => 7n;
export const random = () => 1n << 52n;
