package org.mobilebnn;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;

/**
 * Tells of model files named on standard input, one a line, whether Java lets them pass on to the runtime: "passes", or
 * the message of the exception. tests/android gives it damaged ones.
 */
public final class CheckFiles {
    private CheckFiles() {
    }

    /** Answers with a line for each file. */
    public static void main(String[] arguments) throws IOException {
        BufferedReader names = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String name = names.readLine(); name != null; name = names.readLine()) {
            System.out.println(verdict(Files.readAllBytes(new File(name).toPath())));
        }
    }

    private static String verdict(byte[] model) {
        try {
            ModelMetadata.read(Case.direct(model));
            return "passes";
        } catch (InvalidModelException error) {
            return error.getMessage();
        }
    }
}
