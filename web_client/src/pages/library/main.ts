import { library } from '../../locales/library'
import { mountPage } from '../../shared/page'
import LibraryPage from './LibraryPage.vue'

void mountPage(LibraryPage, library, true)
