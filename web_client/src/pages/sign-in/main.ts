import { signIn } from '../../locales/people'
import { mountPage } from '../../shared/page'
import SignInPage from './SignInPage.vue'

void mountPage(SignInPage, signIn)
